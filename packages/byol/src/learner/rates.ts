/** Learning rates, for a batch of 256, that each optimiser takes. */
import { optimizers } from "@dawnstrap/nn";

/** By optimiser: what a preset that names no rate gets, and the range beyond which a rate was meant for another one. */
export const rates = Object.fromEntries(
  [...optimizers].map(([name, { definition }]) => [name, definition.rates]),
);

/** A sentence where the preset's learning rate only fits another optimiser. */
export function rateWarning({
  optimizer: { kind, learningRate: rate },
}: {
  readonly optimizer: { readonly kind: string; readonly learningRate: number };
}): string | undefined {
  const { usual, least, most } = rates[kind]!;
  if (rate >= least && rate <= most) return undefined;
  const others = Object.entries(rates).filter(([, r]) => rate >= r.least && rate <= r.most);
  const fits = others.length > 0 ? `, though not for ${others.map(([name]) => name).join(" or ")}` : "";
  return `a learning rate of ${rate} is too ${rate > most ? "large" : "small"} for ${kind}${fits}; ${kind} usually takes ${usual} for a batch of 256`;
}
