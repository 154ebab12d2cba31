/** Comparisons and logic. The results are bool and have no derivative. */
import * as e from "../expr/expr.js";
import { binary } from "./pointwise.js";

const flat = "a comparison is piecewise constant";

/** a > b, broadcast. */
export const greater = binary({
  name: "greater",
  kind: "test",
  expr: e.gt,
  value: (a, b) => +(a > b),
  grad: flat,
});
