/** `@dawnstrap/byol/testing`: inner parts that golden tests and tests of the command line reach for; no promise of stability. */
export {
  type ColourOp,
  colourCodes,
  columnsOf,
  drawBox,
  gaussianTaps,
} from "./images/augment/parameters.js";
export { permutation, Stream } from "./images/streams.js";
export { main } from "./node/cli/program.js";
export { recomputes, recomputing, type Recompute } from "./plan/fit.js";
export { type Bytes, bytesOf } from "./plan/step.js";
