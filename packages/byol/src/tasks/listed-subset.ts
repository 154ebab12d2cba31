/** The labelled images that a file lists. */
import { DataError } from "../errors.js";
import type { TextFile } from "./options.js";

/**
 * The places of the images that a file lists, one file name a line, such as SimCLR's `imagenet_subsets/1percent.txt`
 * (n01440764_10042.JPEG). A name without folders is compared with the images' names without theirs.
 *
 * @param names of the set's images, by place
 * @throws DataError naming the first listed image that the set does not hold, or that it cannot tell from another
 */
export function listedSubset({ path: file, text }: TextFile, names: readonly string[]): number[] {
  const base = (path: string): string =>
    path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const places = new Map<string, number[]>();
  const add = (key: string, place: number): void => {
    places.set(key, [...(places.get(key) ?? []), place]);
  };
  for (const [place, name] of names.entries()) {
    add(base(name), place);
    if (name !== base(name)) add(name.replaceAll("\\", "/"), place);
  }
  const lines = text.split(/\r?\n/).flatMap((line) => line.trim() || []);
  const found = new Set<number>();
  const refuse = (line: string, why: string): never => {
    throw new DataError(`subset: ${file} lists ${line}, ${why}`);
  };
  for (const line of lines) {
    const [place, other] = places.get(line.replaceAll("\\", "/")) ?? places.get(base(line)) ?? [];
    if (place === undefined)
      return refuse(line, `which is not among the ${names.length} images (is it a list of these data?)`);
    if (other !== undefined) refuse(line, "the name of several images (list them with their folders)");
    if (found.has(place)) refuse(line, "an image that it has listed before (list each once)");
    found.add(place);
  }
  if (found.size === 0) throw new DataError(`subset: ${file} lists no images`);
  return [...found].sort((a, b) => a - b);
}
