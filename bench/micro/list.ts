/** All microbenchmarks, by the package they measure. */
import { cases as autograd } from "./autograd.js";
import { cases as byol } from "./byol.js";
import type { Case } from "./case.js";
import { cases as nn } from "./nn.js";
import { cases as tensor } from "./tensor.js";

export interface Listed {
  readonly layer: string;
  readonly one: Case;
}

const all: readonly Listed[] = Object.entries({ tensor, autograd, nn, byol }).flatMap(([layer, cases]) =>
  cases.map((one) => ({ layer, one })),
);

/**
 * Those whose layer and name match.
 *
 * @throws Error where there are none, with the names of all
 */
export function casesMatching(only: RegExp | undefined): readonly Listed[] {
  const named = ({ layer, one }: Listed): string => `${layer}: ${one.name}`;
  const chosen = all.filter((listed) => !only || only.test(named(listed)));
  if (chosen.length === 0)
    throw new Error(`--only ${only} matches none of\n${all.map((l) => `  ${named(l)}`).join("\n")}`);
  return chosen;
}
