/** The kernel families. A new one is a file and a line here, and for each backend that writes it by hand a generator and a line there. */
export { gemm } from "./gemm.js";
export { conv2d } from "./conv2d.js";
export { conv2dInputGrad } from "./conv2d-input-grad.js";
export { conv2dWeightGrad } from "./conv2d-weight-grad.js";
export { scatterAdd } from "./scatter-add.js";
