/** Every optimiser, by the name that presets call it. */
import { AdamW } from "./adamw.js";
import type { AnyOptimizer } from "./define.js";
import { Lamb } from "./lamb.js";
import { Lars } from "./lars.js";
import { Sgd } from "./sgd.js";

const all = [Lars, Sgd, AdamW, Lamb];

export { AdamW, Lamb, Lars, Sgd };

/** By name. What is given to `new` has been checked against `definition.settings`. */
export const optimizers: ReadonlyMap<string, AnyOptimizer> = new Map(
  (all as readonly AnyOptimizer[]).map((optimizer) => [optimizer.definition.name, optimizer]),
);
