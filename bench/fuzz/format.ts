/** A format that is fuzzed, and how an input of it is made. */
import type { Draws } from "./draws.js";
import { changeTree } from "./trees.js";
import type { Attempt, Tree, Trial } from "./trial.js";

export interface Format {
  readonly name: string;
  /** The input of the given draws. */
  make(draws: Draws): Promise<Trial>;
}

interface Definition<Sample> {
  readonly name: string;
  /** A sound sample, made by formula, in a form in which its structure can be changed. */
  sample(draws: Draws): Sample | Promise<Sample>;
  /** Each changes the structure in place: a length that lies, a record that is gone, brackets that nest. */
  readonly changes: readonly ((sample: Sample, draws: Draws) => void)[];
  /** The files. */
  encode(sample: Sample, draws: Draws): Tree | Promise<Tree>;
  /** Ways to read them; one is drawn. */
  attempts(draws: Draws, sample: Sample): readonly Attempt[];
}

/**
 * An input is a sample with up to three changes of its structure, then up to two of its files. One in 40 has none, so
 * that a sample which is not read any more shows.
 */
export const defineFormat = <Sample>(definition: Definition<Sample>): Format => ({
  name: definition.name,
  async make(draws) {
    const sound = draws.once(40);
    const sample = await definition.sample(draws);
    for (let n = sound ? 0 : draws.below(4); n > 0; n--) draws.pick(definition.changes)(sample, draws);
    const tree = await definition.encode(sample, draws);
    for (let n = sound ? 0 : draws.below(3); n > 0; n--) changeTree(tree, draws);
    return { tree, attempt: draws.pick(definition.attempts(draws, sample)), ...(sound && { sound }) };
  },
});
