/** Runs before each test file: one seed for all properties, and a run count that CI may raise. */
import fc from "fast-check";

const seed = Number(process.env.DAWNSTRAP_SEED);
if (!Number.isInteger(seed))
  throw new Error(`DAWNSTRAP_SEED must be an integer, got "${process.env.DAWNSTRAP_SEED}"`);

const runs = process.env.DAWNSTRAP_RUNS;
if (runs !== undefined && !(Number(runs) >= 1))
  throw new Error(`DAWNSTRAP_RUNS must be a positive number, got "${runs}"`);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed, ...(runs ? { numRuns: Number(runs) } : {}) });
