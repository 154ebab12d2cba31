/** Tracing: while a function is being differentiated or captured, history must stay, so nothing may be computed. */
import { Tensor } from "../tensor.js";

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

/** Tells the devices that these tensors left the traced function: the next flush computes them. Arrays and plain objects are searched. */
export function escaped(value: unknown): void {
  if (tracing()) return;
  if (value instanceof Tensor) value.device.recorded(value.node);
  else if (Array.isArray(value)) value.forEach(escaped);
  else if (value && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
    Object.values(value).forEach(escaped);
}
