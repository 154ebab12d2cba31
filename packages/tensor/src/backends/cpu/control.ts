/**
 * Words at the start of the shared memory through which threads talk. `runner.ts` repeats these numbers, because its
 * functions must stand alone; the test "control words agree" compares them.
 */
export const WAKE = 0;
export const RUNS = 1;
export const ARRIVED = 2;
export const SLEEPERS = 3;
export const FAILED = 4;
export const PROGRAM = 5;
export const POSTED = 6;
export const COUNTER = 16;
export const COUNTER_STRIDE = 16;
/** Address of each thread's scratch memory. */
export const SCRATCH = 64;
export const CONTROL_WORDS = 1024;
export const MAX_THREADS = 256;
/** Bytes at the start of the memory that are never allocated. */
export const RESERVED = 4 * CONTROL_WORDS;
/** Fields of a step. */
export const STEP = 6;
