// How a command is shortened: by its own documented options, and by nothing else. The first row that fits is taken.

/** Fewer images to measure with. */
const fewer = "--set evaluate.bank=200 --set evaluate.queries=100 --set evaluate.subsets=1";

export const rows = [
  {
    of: /npm test$/,
    instead: ["npm test", "true"],
    why: "the tests take minutes, and are run by themselves",
  },
  {
    of: /^npm run pretrain$/,
    add: `-- --steps 4 --out runs/NAME ${fewer}`,
    why: "minutes; and the run that the others name",
  },
  { of: /pretrain$/, add: `--steps 4 --out runs/A ${fewer}`, why: "minutes" },
  { of: /pretrain --data emoji$/, add: `--steps 2 --out runs/B ${fewer}`, why: "minutes" },
  {
    of: /pretrain --data DIR --epochs 50$/,
    instead: ["--epochs 50", "--epochs 1"],
    add: "--batch 8",
    why: "the folder has 24 images",
  },
  { of: /pretrain --preset emoji /, add: `--steps 2 ${fewer}`, why: "minutes" },
  {
    of: /pretrain --config mine.json$/,
    add: "--data photos --steps 2 --batch 8",
    why: "mine.json names no data",
  },
  {
    of: /resume .*step-….safetensors$/,
    instead: ["step-….safetensors", "step-00000004.safetensors"],
    why: "a checkpoint that is there",
  },
  { of: /evaluate linear /, add: "--epochs 1 --batch 8 --rates 0.1", why: "five rates of 80 epochs" },
  {
    of: /^npx byol plan /,
    instead: ["imagenet-r50", "digits"],
    why: "one array of this network is larger than a buffer of a software adapter",
  },
  {
    of: /evaluate semi /,
    instead: ["--share 0.01", "--share 0.5"],
    add: "--epochs 1 --batch 8 --rates 0.1",
    why: "a hundredth of 24 images is none",
  },
  {
    of: /evaluate finetune /,
    add: "--any-size --steps 2 --batch 8 --rates 0.01 --decays 0",
    why: "56 candidates of 20,000 steps; two breeds",
  },
  {
    of: /evaluate transfer /,
    add: "--any-size --lambdas 1 --iterations 2",
    why: "45 penalties; five images",
  },
];

/** What DIR stands for; each layout needs a folder of its own. */
const folders = [
  [/\bpets:DIR\b/, "pets:pets"],
  [/\bvoc2007:DIR\b/, "voc2007:voc"],
  [/\bDIR\b/, "photos"],
];

export function shorter(command) {
  const row = rows.find(({ of }) => of.test(command));
  let words = command;
  if (row?.instead) words = words.replace(...row.instead);
  if (row?.add) words = `${words} ${row.add}`;
  for (const [shown, there] of folders) words = words.replace(shown, there);
  return { words, ...(row && { why: row.why }) };
}
