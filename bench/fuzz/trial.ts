/** What is tried: files, and something that reads them. Trials are plain data, so that a fault is kept as a file. */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";

export type Entry =
  | { readonly bytes: Uint8Array }
  | { readonly link: string }
  | { readonly fifo: true }
  | { readonly folder: true };

/**
 * Entries by their paths below the folder of the trial. A path stands as one character a byte (latin1), because names of
 * files are bytes: they need not be UTF-8.
 */
export type Tree = Map<string, Entry>;

/** How the files are read. `{}` stands for the folder of the trial. */
export type Attempt =
  /** `openData`, then every set's labels, and the images of each. */
  | { readonly read: "data"; readonly name: string; readonly strict?: boolean; readonly boxes?: boolean }
  /** `byol WORDS`, which may write below `writes` and nowhere else. */
  | { readonly read: "command"; readonly words: readonly string[]; readonly writes?: readonly string[] };

export interface Trial {
  /** Nothing is wrong with it: to refuse it is a fault. */
  readonly sound?: boolean;
  readonly tree: Tree;
  readonly attempt: Attempt;
}

const raw = (text: string): Buffer => Buffer.from(text, "latin1");
/** A path of a tree from ordinary text. */
export const pathOf = (text: string): string => Buffer.from(text).toString("latin1");

/** Writes the tree below `root`. What cannot be laid (a name too long, a file where a folder is) is left out. */
export function lay(tree: Tree, root: string): void {
  const base = pathOf(root);
  for (const [path, entry] of tree) {
    const at = `${base}/${path}`;
    try {
      mkdirSync(raw(dirname(at)), { recursive: true });
      layEntry(entry, at, base);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }
}

function layEntry(entry: Entry, at: string, base: string): void {
  if ("bytes" in entry) writeFileSync(raw(at), entry.bytes);
  else if ("link" in entry) symlinkSync(raw(entry.link), raw(at));
  else if ("folder" in entry) mkdirSync(raw(at), { recursive: true });
  else {
    // mkfifo's argument would have to be UTF-8.
    const made = `${Buffer.from(base, "latin1")}.fifo`;
    if (spawnSync("mkfifo", [made]).status === 0) renameSync(made, raw(at));
  }
}

/** Every entry below a folder, with what shows that it was changed. Links are not followed. */
export function listing(root: string, skip?: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const name of readdirSync(raw(folder), { encoding: "buffer" })) {
      const path = `${folder}/${name.toString("latin1")}`;
      if (path === skip) continue;
      const { size, mtimeMs, ino, mode } = lstatSync(raw(path));
      const isFolder = (mode & 0o170000) === 0o040000;
      found.set(path, isFolder ? "folder" : `${size} ${mtimeMs} ${ino} ${mode}`);
      if (isFolder) walk(path);
    }
  };
  walk(pathOf(root));
  return found;
}

/** Removes what is in a folder, whatever its names. */
export function clear(root: string): void {
  for (const path of [...listing(root).keys()].reverse())
    try {
      unlinkSync(raw(path));
    } catch {
      rmdirSync(raw(path));
    }
}

type Kept = { path: string; bytes?: string; link?: string; fifo?: true; folder?: true };

/** A trial as JSON. */
export const kept = ({ tree, ...rest }: Trial): object => ({
  ...rest,
  tree: [...tree].map(([path, entry]) =>
    "bytes" in entry ? { path, bytes: Buffer.from(entry.bytes).toString("base64") } : { path, ...entry },
  ),
});

export function trialOf({ tree, ...rest }: { tree: Kept[]; attempt: Attempt; sound?: boolean }): Trial {
  const entries = tree.map(({ path, bytes, ...entry }): [string, Entry] => [
    path,
    bytes === undefined ? (entry as Entry) : { bytes: Buffer.from(bytes, "base64") },
  ]);
  return { ...rest, tree: new Map(entries) };
}
