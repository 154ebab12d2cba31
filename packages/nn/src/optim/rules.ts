/** Which parameters an optimiser decays and adapts, and at which rate: rules by name and kind, which can be printed. */
import type { Segment } from "../arena.js";

export interface Rule {
  /** What the rule is called in `describe()`. */
  readonly label: string;
  readonly applies: (parameter: Pick<Segment, "name" | "kind" | "shape">) => boolean;
  /** Weight decay for these; otherwise as earlier rules say (at first: yes). */
  readonly decay?: boolean;
  /** Layer-wise adaptation (LARS) for these. */
  readonly adapt?: boolean;
  /** Multiple of the learning rate at which these learn (at first: 1). */
  readonly rate?: number;
  /** These learn at the peak rate from the first step to the last: neither warm-up nor decay (at first: no). */
  readonly steady?: boolean;
}

/**
 * Biases and norm parameters get neither decay nor adaptation: BYOL (optimizers.py of its code), SimCLR and most others.
 */
export const excludeBiasAndNorm: readonly Rule[] = [
  { label: "bias", applies: (p) => p.kind === "bias", decay: false, adapt: false },
  { label: "norm", applies: (p) => p.kind === "norm", decay: false, adapt: false },
];

/** A rule for the parameters whose name the pattern matches. */
export const byName = (pattern: RegExp, actions: Omit<Rule, "label" | "applies">): Rule => ({
  label: String(pattern),
  applies: (p) => pattern.test(p.name),
  ...actions,
});

export interface Treatment {
  readonly decay: boolean;
  readonly adapt: boolean;
  readonly rate: number;
  readonly steady: boolean;
  /** Labels of the rules that applied, in order. */
  readonly rules: readonly string[];
}

/** Later rules override earlier ones. */
export function treatmentOf(segment: Segment, rules: readonly Rule[]): Treatment {
  const start: Treatment = { decay: true, adapt: true, rate: 1, steady: false, rules: [] };
  return rules
    .filter((rule) => rule.applies(segment))
    .reduce(
      (t, { label, decay = t.decay, adapt = t.adapt, rate = t.rate, steady = t.steady }) => ({
        ...{ decay, adapt, rate, steady },
        rules: [...t.rules, label],
      }),
      start,
    );
}

/** A table with a line per parameter: what is done to it, and why. */
export function treatmentTable(
  segments: readonly Segment[],
  rules: readonly Rule[],
  adapts: boolean,
): string {
  const rows = segments.map((segment) => {
    const { decay, adapt, rate, steady, rules: applied } = treatmentOf(segment, rules);
    const yes = (b: boolean): string => (b ? "yes" : "no");
    return [
      segment.name,
      `[${segment.shape.join(", ")}]`,
      yes(decay),
      adapts ? yes(adapt) : "no",
      `${rate}${steady ? " steady" : ""}`,
      applied.join(", ") || "default",
    ];
  });
  const table = [["parameter", "shape", "decay", "adapt", "rate", "rule"], ...rows];
  const widths = table[0]!.map((_, c) => Math.max(...table.map((row) => row[c]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, c) => cell.padEnd(widths[c]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
