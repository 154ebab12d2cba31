/** Whether a function is being traced (by `grad`): while it is, history must stay, so nothing may be computed. */
let depth = 0;

export const tracing = (): boolean => depth > 0;

/** Runs `fn` with history kept. Synchronous, as everything that records must be. */
export function withHistory<T>(fn: () => T): T {
  depth++;
  try {
    return fn();
  } finally {
    depth--;
  }
}
