/** What consoles, JSON, templates and operators get of an object that stands for data elsewhere. */
import { DawnstrapError } from "./errors.js";

const inspected: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/** One line in consoles and templates, a few fields in JSON, and no number at all. */
export abstract class Described {
  abstract toString(): string;

  /** What identifies it; never its elements, which only `await x.data()` has. */
  abstract toJSON(): unknown;

  [inspected](): string {
    return this.toString();
  }

  /** @throws DawnstrapError where an operator wants a number: `x * 2` would be NaN */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    throw new DawnstrapError(
      `${this} is not a number: JavaScript's operators cannot compute with it. Use functions and methods of tensors, ` +
        "mul(x, 2) or x.mul(2) for x * 2 and greater(x, 0) for x > 0; await x.item() for a number, String(x) for text",
    );
  }
}
