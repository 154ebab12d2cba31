/** What is an entry of a data folder or of an archive: the one place that says so, for every lister. */
import type { Dirent } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { DataError } from "../../errors.js";
import { type FileType, otherThanFile } from "./regular-file.js";

/** What systems leave in folders beside the data, in lower case; names that begin with a dot are left out anyway. */
export const systemNames: ReadonlySet<string> = new Set([
  ...["__macosx", "icon\r", "lost+found", "__pycache__"],
  ...["thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "recycler", "system volume information"],
  ...["@eadir", "#recycle", "#snapshot", "@recycle", "@__thumb"],
]);

/** Whether a name is the data's own: neither hidden nor a system's. */
export const isData = (name: string): boolean =>
  !name.startsWith(".") && !systemNames.has(name.toLowerCase());

/** The same for every part of a path inside an archive; "./x" is x. */
export const isDataPath = (path: string): boolean =>
  path.split("/").every((part) => part === "" || part === "." || isData(part));

/** By code units: a locale's order differs from machine to machine. */
export const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Takes what cannot be used, by its path, and why. */
export type Skip = (path: string, reason: string) => void;

export interface Entry {
  readonly name: string;
  readonly path: string;
  /** It is a link. */
  readonly linked: boolean;
}

export interface Entries {
  readonly folders: readonly Entry[];
  readonly files: readonly Entry[];
}

const why = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  const known: Partial<Record<string, string>> = {
    ENOENT: "does not exist",
    ENOTDIR: "is not a folder",
    EACCES: "cannot be read: permission is denied (EACCES)",
  };
  return known[code ?? ""] ?? `cannot be read (${code})`;
};

/** Whether the name was not UTF-8: then it was read with marks in place of its bytes, and leads nowhere. */
const garbled = async (name: string, path: string): Promise<boolean> =>
  name.includes("\uFFFD") &&
  (await lstat(path).then(
    () => false,
    () => true,
  ));

/** What an entry is, links followed. Undefined for what is neither file nor folder. */
async function sortOf(entry: Dirent, path: string, skip: Skip): Promise<keyof Entries | undefined> {
  if (await garbled(entry.name, path)) {
    if (entry.isDirectory())
      throw new DataError(`data: the name of the folder ${path} is not UTF-8; rename it, then try again`);
    skip(path, "its name is not UTF-8");
    return undefined;
  }
  let found: FileType = entry;
  if (entry.isSymbolicLink())
    try {
      found = await stat(path);
    } catch (error) {
      skip(path, `it is a link, and what it points to ${why(error)}`);
      return undefined;
    }
  if (found.isDirectory()) return "folders";
  const other = otherThanFile(found);
  if (other) skip(path, `it is ${other}, not a regular file`);
  return other ? undefined : "files";
}

/**
 * The folders and regular files in a folder, sorted, without hidden and system entries; links are followed.
 * Throws DataError that names the folder which cannot be read, or whose name is not UTF-8.
 */
export async function entriesIn(folder: string, skip: Skip = () => {}): Promise<Entries> {
  let all: Dirent[];
  try {
    all = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new DataError(`data: ${folder} ${why(error)}`);
  }
  const entries: Record<keyof Entries, Entry[]> = { folders: [], files: [] };
  for (const entry of all.filter(({ name }) => isData(name))) {
    const path = join(folder, entry.name);
    const sort = await sortOf(entry, path, skip);
    if (sort) entries[sort].push({ name: entry.name, path, linked: entry.isSymbolicLink() });
  }
  for (const list of Object.values(entries)) list.sort((a, b) => byCodeUnits(a.name, b.name));
  return entries;
}

/** What tells a folder from every other, under whatever path. */
async function identity(folder: string): Promise<string> {
  try {
    const { dev, ino } = await stat(folder, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    throw new DataError(`data: ${folder} ${why(error)}`);
  }
}

/** The folders that a path lies in, the nearest first. */
const ancestors = (path: string): string[] =>
  dirname(path) === path ? [] : [dirname(path), ...ancestors(dirname(path))];

/** What lies below a folder, as paths from it on with "/", sorted. */
export interface Tree {
  readonly files: readonly string[];
  /** Links left out that lead to a folder already read. */
  readonly folders: readonly string[];
}

/**
 * The regular files and the folders below a folder. Every folder is read once however many links lead to it, and under
 * its own path where that is below `root`: circles end, and an image is not met twice.
 */
export async function treeBelow(root: string, skip: Skip = () => {}): Promise<Tree> {
  // A link to a folder that `root` lies in closes a circle as well.
  const above = await realpath(root).then(ancestors, () => []);
  const seen = new Set(await Promise.all(above.map(identity)));
  const tree = { files: [] as string[], folders: [] as string[] };
  const links: string[] = [];
  const from = (path: string): string => relative(root, path).split(sep).join("/");
  const walk = async (folder: string): Promise<void> => {
    const id = await identity(folder);
    if (seen.has(id)) return;
    seen.add(id);
    if (folder !== root) tree.folders.push(from(folder));
    const { folders, files } = await entriesIn(folder, (path, reason) => skip(from(path), reason));
    for (const { path } of files) tree.files.push(from(path));
    for (const { path, linked } of folders)
      if (linked) links.push(path);
      else await walk(path);
  };
  await walk(root);
  // The folders that are no links have all been seen when the first link is followed.
  for (const link of links) await walk(link);
  return { files: tree.files.sort(byCodeUnits), folders: tree.folders.sort(byCodeUnits) };
}
