/** The public surface of @dawnstrap/autograd. */
export { grad, valueAndGrad, vjp, type ValueAndGrad, type WithAux } from "./grad.js";
export { stopGradient } from "./identity.js";
export { checkpoint } from "./checkpoint.js";
export { custom } from "./custom.js";
export { gradcheck, type GradcheckOptions } from "./gradcheck.js";
