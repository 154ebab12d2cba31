/** Every op's public function. Importing this file fills the registry and binds the methods of `Tensor`. */
import { bindMethods } from "../tensor.js";
import * as functions from "./index.js";

export * from "./arithmetic.js";
export * from "./cast.js";
export * from "./comparison.js";
export * from "./constants.js";
export * from "./elementary.js";
export * from "./expand.js";
export * from "./permute.js";
export * from "./reshape.js";
export { sum } from "./sum.js";
export * from "./where.js";

bindMethods(functions);
