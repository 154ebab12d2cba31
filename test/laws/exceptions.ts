/** Where a law does not hold yet. These lists may only shrink. */
import type { Package } from "./sources.js";

type Lists = { readonly [name in Package]?: readonly string[] };

/** Rooms that import a later room of test/laws/order.ts. */
export const upward: Lists = {
  tensor: [
    "backends → device.ts",
    "device.ts → ops/values",
    "expr → program.ts",
    "graph → device.ts",
    "graph → run",
    "graph → variable.ts",
    "host.ts → tensor.ts",
    "ops/shared → ops/reductions",
    "ops/shared → ops/values",
    "ops/shared → ops/views",
    "run → device.ts",
    "run → variable.ts",
    "tensor.ts → device.ts",
    "tensor.ts → graph",
    "tensor.ts → ops",
    "tensor.ts → ops/shared",
    "variable.ts → device.ts",
  ],
  nn: ["arena.ts → io", "module.ts → arena.ts", "optim → io"],
  byol: [
    "tasks → learner",
    "tasks → presets",
    "tasks → tasks/node",
    "tasks/node → node/run",
    "tasks/node → presets",
  ],
};

/** Files that import in a circle. */
export const circles: Lists = {
  tensor: [
    "backends/cpu/backend.ts",
    "backends/cpu/program.ts",
    "device.ts",
    "graph/bind.ts",
    "graph/build.ts",
    "graph/lowering.ts",
    "graph/node.ts",
    "graph/plan.ts",
    "graph/trace.ts",
    "host.ts",
    "kernels/wasm/products/convolve.ts",
    "kernels/wasm/winograd/winograd.ts",
    "op.ts",
    "ops/images/crop-and-resize.ts",
    "ops/images/resampling.ts",
    "ops/images/resize.ts",
    "ops/index.ts",
    "ops/indexing/along-axis.ts",
    "ops/indexing/arg-max.ts",
    "ops/indexing/cumsum.ts",
    "ops/indexing/gather.ts",
    "ops/indexing/one-hot.ts",
    "ops/indexing/pad.ts",
    "ops/indexing/scatter-add.ts",
    "ops/indexing/sort-order.ts",
    "ops/indexing/sort.ts",
    "ops/indexing/tile.ts",
    "ops/pointwise/activations.ts",
    "ops/pointwise/arithmetic.ts",
    "ops/pointwise/comparison.ts",
    "ops/pointwise/elementary.ts",
    "ops/pointwise/pointwise.ts",
    "ops/pointwise/rounding.ts",
    "ops/pointwise/where.ts",
    "ops/products/conv2d.ts",
    "ops/products/matmul.ts",
    "ops/random/philox.ts",
    "ops/random/random.ts",
    "ops/reductions/axes.ts",
    "ops/reductions/expand.ts",
    "ops/reductions/reduce.ts",
    "ops/reductions/sum.ts",
    "ops/shared/apply.ts",
    "ops/shared/broadcast.ts",
    "ops/shared/reference.ts",
    "ops/statistics/batch-norm-stats.ts",
    "ops/statistics/batch-norm.ts",
    "ops/statistics/cross-entropy.ts",
    "ops/statistics/extremes.ts",
    "ops/statistics/l2-normalize.ts",
    "ops/statistics/moments.ts",
    "ops/statistics/softmax.ts",
    "ops/values/cast.ts",
    "ops/values/constants.ts",
    "ops/views/concat.ts",
    "ops/views/pack-flat.ts",
    "ops/views/permute.ts",
    "ops/views/reshape.ts",
    "ops/views/slice.ts",
    "ops/windows/avg-pool.ts",
    "ops/windows/max-pool.ts",
    "ops/windows/over-windows.ts",
    "ops/windows/pool-window.ts",
    "ops/windows/window.ts",
    "run/capture.ts",
    "run/interpret.ts",
    "run/results.ts",
    "run/run.ts",
    "run/storage.ts",
    "tensor.ts",
    "variable.ts",
  ],
  nn: ["arena.ts", "module.ts"],
  byol: ["tasks/knn.ts", "tasks/nearest.ts"],
};

/** Files outside of node/ that ask for Node. */
export const nodeOutside: Lists = {
  byol: [
    "tasks/frozen-linear.ts",
    "tasks/index.ts",
    "tasks/judge.ts",
    "tasks/protocols.ts",
    "tasks/supervised.ts",
    "tasks/tuning.ts",
  ],
};

/** Tests and benchmarks that reach into a package's sources by path. */
export const byPath: readonly string[] = [
  "test/browser/suites.page.ts",
  "test/browser/training.ts",
  "test/byol/run.ts",
  "test/golden/augment.test.ts",
  "test/golden/byol-r50-run.ts",
];

/** Files of over 300 lines, with the reason why each is one room. */
export const large: { readonly [name in Package]?: Readonly<Record<string, string>> } = {
  tensor: {
    "device.ts": "not looked at yet",
    "expr/expr.ts": "not looked at yet",
    "kernels/wasm/map/memory.ts": "not looked at yet",
    "kernels/wasm/map/values.ts": "not looked at yet",
    "kernels/wasm/products/conv2d-weight-grad.ts": "not looked at yet",
    "kernels/wasm/products/convolve.ts": "not looked at yet",
    "kernels/wasm/winograd/winograd-weight-grad.ts": "not looked at yet",
    "kernels/wasm/winograd/winograd.ts": "not looked at yet",
  },
};
