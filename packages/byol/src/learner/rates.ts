/** Learning rates, for a batch of 256, that each optimiser takes. */

/** What a preset that names no rate gets, and the range beyond which a rate was meant for another optimiser. */
export const rates = {
  /** The paper's 0.2 at 1000 epochs; small data sets take up to 2. */
  lars: { usual: 0.2, least: 0.02, most: 10 },
  /** SimSiam's; lightly's benchmarks of BYOL take 0.06. */
  sgd: { usual: 0.05, least: 1e-3, most: 1 },
  /** What users of BYOL with Adam are advised to. */
  adamw: { usual: 3e-4, least: 1e-6, most: 0.02 },
} as const;

/** A sentence where the preset's learning rate only fits another optimiser. */
export function rateWarning({
  optimizer: { kind, learningRate: rate },
}: {
  readonly optimizer: { readonly kind: keyof typeof rates; readonly learningRate: number };
}): string | undefined {
  const { usual, least, most } = rates[kind];
  if (rate >= least && rate <= most) return undefined;
  const others = Object.entries(rates).filter(([, r]) => rate >= r.least && rate <= r.most);
  const fits = others.length > 0 ? `, though not for ${others.map(([name]) => name).join(" or ")}` : "";
  return `a learning rate of ${rate} is too ${rate > most ? "large" : "small"} for ${kind}${fits}; ${kind} usually takes ${usual} for a batch of 256`;
}
