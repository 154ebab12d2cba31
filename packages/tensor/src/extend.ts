/**
 * `@dawnstrap/tensor/extend`: for packages that define ops of their own, walk the recorded graph, or plan programs
 * without running them.
 */
export { planningDevice } from "./planning.js";
export { Described } from "./described.js";
export * as expr from "./expr/expr.js";
export {
  defineFamily,
  type Elements,
  type Family,
  type Operand,
  type Operands,
  type ParamKinds,
  type ParamsOf,
  type Samples,
} from "./families/family.js";
export { multiplyAdds } from "./graph/cost.js";
export { Node, nodeClock, type NodeOutput } from "./graph/node.js";
export { escaped, withHistory } from "./run/trace.js";
export { definitionOf, defineOp, nondifferentiable, registry } from "./op.js";
export type * from "./op.js";
// An op that the index does not name must be registered here, too.
import "./ops/bind.js";
export { hostRandomBits, normalOf, philox4x32, truncatedNormalOf, uniformOf } from "./ops/random/bits.js";
export { apply, apply1 } from "./ops/shared/apply.js";
export { checkLabels } from "./ops/statistics/labels.js";
export { checkSameShape } from "./shape.js";
export { packFlat } from "./ops/views/pack-flat.js";
export { reindex } from "./ops/views/reshape.js";
