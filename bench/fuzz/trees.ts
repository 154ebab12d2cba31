/** Changes of a tree that know nothing of what its files mean: names, links, pipes, files that are gone or changed. */
import { changedBytes } from "./bytes.js";
import type { Draws } from "./draws.js";
import { pathOf, type Tree } from "./trial.js";

const names: readonly ((name: string) => string)[] = [
  (name) => `\xff\xfe${name}`,
  (name) => `${name}\n\x1b[2J`,
  (name) => `.${name}`,
  (name) => `._${name}`,
  (name) => ` ${name} `,
  (name) => name.toUpperCase(),
  (name) => `${name}~`,
  (name) => pathOf(`ä€😀${name}`),
  (name) => `-${name}`,
  (name) => `${"a".repeat(200)}${name}`,
  (name) => `{${name}},[*]?`,
  () => "__proto__",
  () => ".ipynb_checkpoints",
  () => "__MACOSX",
];

const changes: readonly ((tree: Tree, path: string, draws: Draws) => void)[] = [
  (tree, path) => void tree.delete(path),
  (tree, path) => void tree.set(path, { folder: true }),
  (tree, path) => void tree.set(path, { fifo: true }),
  // A link to nothing, to itself, to its own folder, to a pipe, to what never ends.
  (tree, path, draws) => {
    tree.set(path, {
      link: draws.pick(["nowhere", path.split("/").at(-1)!, ".", "..", "pipe", "/dev/zero"]),
    });
    tree.set(path.replace(/[^/]*$/, "pipe"), { fifo: true });
  },
  // Another name for the file, or for one of the folders that it is in.
  (tree, path, draws) => {
    const parts = path.split("/");
    const place = draws.once(2) ? parts.length - 1 : draws.below(parts.length);
    const [old, rename] = [parts.slice(0, place + 1).join("/"), draws.pick(names)];
    const fresh = [...parts.slice(0, place), rename(parts[place]!)].join("/");
    for (const [at, entry] of [...tree])
      if (at === old || at.startsWith(`${old}/`)) {
        if (!draws.once(4)) tree.delete(at);
        tree.set(fresh + at.slice(old.length), entry);
      }
  },
  // The bytes of another file.
  (tree, path, draws) => void tree.set(path, tree.get(draws.pick([...tree.keys()]))!),
];

/** One change; of a file's bytes three times of four. */
export function changeTree(tree: Tree, draws: Draws): void {
  const paths = [...tree.keys()];
  if (paths.length === 0) return;
  const path = draws.pick(paths);
  const entry = tree.get(path)!;
  if ("bytes" in entry && !draws.once(4)) tree.set(path, { bytes: changedBytes(entry.bytes, draws) });
  else draws.pick(changes)(tree, path, draws);
}
