/** Small deterministic random numbers, uniform in [−1, 1): test data that need not be good, but the same everywhere. */
export function noise(length: number, seed: number): Float32Array {
  let state = (seed * 2654435761 + 1) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
