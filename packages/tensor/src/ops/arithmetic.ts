/** Binary arithmetic with NumPy broadcasting. Operands are promoted to a common dtype; numbers stand for constants. */
import * as e from "../expr/expr.js";
import { binary } from "./pointwise.js";
import { neg } from "./elementary.js";

/** a + b, broadcast. */
export const add = binary({
  name: "add",
  kind: "same",
  expr: e.add,
  value: (a, b) => a + b,
  grad: ({ g }) => [g, g],
});

/** a − b, broadcast. */
export const sub = binary({
  name: "sub",
  kind: "same",
  expr: e.sub,
  value: (a, b) => a - b,
  grad: ({ g, needs }) => [g, needs[1] ? neg(g) : undefined],
});

/** a · b, broadcast. */
export const mul = binary({
  name: "mul",
  kind: "same",
  expr: e.mul,
  value: (a, b, dtype) => (dtype === "float32" ? a * b : Math.imul(a, b)),
  grad: ({ g, a, b, needs }) => [needs[0] ? mul(g, b) : undefined, needs[1] ? mul(g, a) : undefined],
});

/** a / b in float32, broadcast; integers are converted first. */
export const div = binary({
  name: "div",
  kind: "float",
  expr: e.div,
  value: (a, b) => a / b,
  grad: ({ g, b, y, needs }) => {
    const scaled = div(g, b);
    return [scaled, needs[1] ? neg(mul(scaled, y)) : undefined];
  },
  values: [{}, { range: [0.4, 3] }],
});
