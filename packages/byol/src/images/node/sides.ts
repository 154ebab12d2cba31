/** The sides of a split as people name their folders and shards. */
export type Side = "train" | "val" | "test";

const words: Readonly<Record<Side, RegExp>> = {
  train: /^(trn|train|training|trainval)(set|data|images)?$/,
  val: /^(val|vali|valid|validation|dev|eval|evaluation|heldout|holdout)(set|data|images)?$/,
  test: /^(tst|test|tests|testing)(set|data|images)?$/,
};
const filler = /^(set|split|data|dataset|images|imgs)?$/;

const sideOfWord = (word: string): Side | undefined =>
  (Object.keys(words) as Side[]).find((side) => words[side].test(word));

/** The parts of a name that are letters: Train_2017 is "train". */
const wordsOf = (name: string): string[] =>
  name
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter(Boolean);

/** The side that a folder is by its name: Val, validation, train_images, test2017; "train station" is none. */
export function sideOfFolder(name: string): Side | undefined {
  const own = wordsOf(name).filter((word) => !filler.test(word));
  return own.length === 1 ? sideOfWord(own[0]!) : undefined;
}

/**
 * The side of each shard by its file's name: the first word says it (val_000.tar, test000.tar, val/000.tar), or any, where all of them
 * have one (imagenet-train-000.tar beside imagenet-val-000.tar).
 */
export function sidesOfShards(names: readonly string[]): (Side | undefined)[] {
  const all = names.map((name) => wordsOf(name).map(sideOfWord));
  const within = all.map((found) => found.findLast((side) => side !== undefined));
  return within.every((side) => side !== undefined) ? within : all.map(([first]) => first);
}
