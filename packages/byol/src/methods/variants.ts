/** The methods as data: heads and targets by their sizes. */
import type { Head, Method } from "./settings.js";

/** DeepMind's heads: a bias in the first layer and none in the last, other than the paper's listing. */
const head = (hidden: number, output: number): Head => ({
  hidden: [hidden],
  output,
  norm: true,
  bias: false,
});

/** BYOL with projector and predictor of one hidden layer each; τ rises along a cosine. */
export const byol = (
  hidden: number,
  output: number,
  target: Omit<Method["target"], "rise">,
): Method & { name: "byol" } => ({
  name: "byol",
  projector: head(hidden, output),
  predictor: head(hidden, output),
  target: { ...target, rise: "cosine" },
});
