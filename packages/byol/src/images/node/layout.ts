/** What a folder of images is taken for, by its paths alone: classes, the sides of a split, or neither. */
import { DataError } from "../../errors.js";
import { byCodeUnits, type Skip, type Tree } from "./entries.js";
import { type Side, sideOfFolder } from "./sides.js";
import { heldOutPlaces } from "./split.js";

/** Images by their paths below the folder; without `labels` where there are no classes. */
export interface Part {
  readonly files: readonly string[];
  readonly labels?: readonly number[];
}

export interface Layout {
  readonly classes: readonly string[];
  readonly train: Part;
  /** Given beside a test part, or instead of one. */
  readonly val?: Part;
  readonly test?: Part;
  /** What a user may not expect. */
  readonly notes: readonly string[];
}

const partsOf = (path: string): string[] => path.split("/");
const inside = (paths: readonly string[], folder: string): string[] =>
  paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1));
const unique = (names: readonly string[]): string[] => [...new Set(names)].sort(byCodeUnits);
/** First parts of the paths that have several: the folders directly below. */
const tops = (paths: readonly string[]): string[] =>
  unique(paths.filter((path) => path.includes("/")).map((path) => partsOf(path)[0]!));
const counted = ({ length }: readonly string[]): string => `${length} image${length === 1 ? "" : "s"}`;

/** Folders by the side that their names say. */
type SideNames = Readonly<Record<Side, readonly string[]>>;

/** The folders that a path lies in: a/b/c lies in a and a/b. */
const above = (path: string): string[] =>
  partsOf(path)
    .slice(0, -1)
    .map((_, depth, all) => all.slice(0, depth + 1).join("/"));

/** Folders directly below, those without images too. */
const foldersOf = ({ folders }: Tree): string[] => folders.filter((path) => !path.includes("/"));

const within = ({ files, folders }: Tree, folder: string): Tree => ({
  files: inside(files, folder),
  folders: inside(folders, folder),
});

/**
 * The layout of the images and folders below `root`, whose name is for messages. `skip` takes images that lie where none
 * belongs. A layout that fits half is refused: DataError with what to do.
 */
export function layoutOf(root: string, tree: Tree, skip: Skip): Layout {
  const sides: Record<Side, string[]> = { train: [], val: [], test: [] };
  for (const name of foldersOf(tree)) {
    const side = sideOfFolder(name);
    if (side) sides[side].push(name);
  }
  refuseTwins(root, sides);
  const held = [...sides.val, ...sides.test];
  if (held.length > 0 && sides.train.length > 0) return givenSplit(root, tree, sides, skip);
  const others = tops(tree.files).filter((name) => !held.includes(name));
  if (held.length > 0)
    throw new DataError(
      `data: ${root} holds ${held.join("/, ")}/ and no train/` +
        (others.length > 0
          ? `: move the folders ${named(others)} into train/, or rename ${held.join(" and ")} if it is a class`
          : ` (to take these images as they are, give --data ${root}/${held[0]})`),
    );
  const [train] = sides.train;
  if (train && tops(inside(tree.files, train)).length > 0)
    throw new DataError(
      `data: ${root} holds ${train}/ with folders in it, and no val/ or test/` +
        ` (give --data ${root}/${train} to hold out a fifth of each class, add val/, or rename it if it is a class)`,
    );
  refuseDeeper(root, tree);
  return oneSide(root, tree);
}

const named = (names: readonly string[]): string =>
  names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");

function refuseTwins(root: string, sides: SideNames): void {
  for (const names of Object.values(sides))
    if (names.length > 1)
      throw new DataError(
        `data: ${root} holds ${names.map((name) => `${name}/`).join(" and ")}, which mean the same side (leave one of them)`,
      );
}

/** Sides that lie deeper would be mixed, and those held out trained on. */
function refuseDeeper(root: string, { files }: Tree): void {
  const folders = unique(files.flatMap((file) => above(file)));
  const seen = new Map<string, Set<boolean>>();
  for (const path of folders) {
    const parts = partsOf(path);
    const side = sideOfFolder(parts.at(-1)!);
    const parent = parts.slice(0, -1).join("/");
    if (!side || parent === "") continue;
    const kinds = seen.get(parent) ?? new Set();
    seen.set(parent, kinds.add(side === "train"));
    if (kinds.size === 2)
      throw new DataError(
        `data: ${root}/${parent} holds a split, ${path} among it, which ${root} would mix` +
          ` (give --data ${root}/${parent}, or lay it out as train/CLASS and val/CLASS)`,
      );
  }
}

/** Labels by the folder that each path begins with. */
function labelled(prefix: string, files: readonly string[], classes: readonly string[]): Part {
  const codes = new Map(classes.map((name, code) => [name, code]));
  return {
    files: files.map((file) => prefix + file),
    labels: files.map((file) => codes.get(partsOf(file)[0]!)!),
  };
}

/** A folder without sides: a fifth of each class is held out by the names of the files, or there are no labels. */
function oneSide(root: string, tree: Tree): Layout {
  const { files } = tree;
  const classes = tops(files);
  const loose = files.filter((file) => !file.includes("/"));
  if (loose.length > 0 || classes.length < 2) {
    const why =
      loose.length === 0
        ? `they all lie in ${classes[0]}/`
        : `${loose[0]}${loose.length > 1 ? ` and ${loose.length - 1} more` : ""} beside the folders lie in none`;
    const notes = classes.length > 0 ? [`no labels in ${root}, which folders would give: ${why}`] : [];
    return { classes: [], train: { files }, notes };
  }
  // Evaluation refuses classes without images by name.
  const all = unique([...classes, ...foldersOf(tree)]);
  const held = new Set<string>();
  for (const name of classes) {
    const members = files.filter((file) => file.startsWith(`${name}/`));
    for (const place of heldOutPlaces(members, 0.2)) held.add(members[place]!);
  }
  const side = (wanted: boolean) =>
    labelled(
      "",
      files.filter((file) => held.has(file) === wanted),
      all,
    );
  const notes = classes
    .filter((name) => sideOfFolder(name))
    .map((name) => `${root}/${name} is taken for a class, one of ${classes.length}`);
  return { classes: all, train: side(false), test: side(true), notes };
}

/** train/ beside val/, test/ or both, each with a folder per class, or none of them. */
function givenSplit(root: string, tree: Tree, names: SideNames, skip: Skip): Layout {
  const train = names.train[0]!;
  const held = [...names.val, ...names.test];
  const known = [train, ...held];
  for (const name of known)
    if (inside(tree.files, name).length === 0)
      throw new DataError(`data: ${root}/${name} holds no images (fill it, or remove it)`);
  const left = tree.files.filter((file) => !known.includes(partsOf(file)[0]!));
  const notes =
    left.length > 0
      ? [`left out ${counted(left)} of ${root} beside ${known.join("/, ")}/: ${left[0]} …`]
      : [];
  const classesIn = (name: string): string[] => tops(inside(tree.files, name));
  if (classesIn(train).length < 2) {
    const why = `${train}/ has no folders of classes, ${held.join("/ and ")}/ is held out`;
    const part = (name: string): Part => ({
      files: inside(tree.files, name).map((file) => `${name}/${file}`),
    });
    return { ...partsFor(names, part), classes: [], notes: [...notes, `no labels in ${root}: ${why}`] };
  }
  // Images to be classified are often handed out without folders: nothing can be measured on those.
  const flat = held.filter((name) => classesIn(name).length === 0);
  if (flat.length === held.length)
    throw new DataError(
      `data: ${root}/${train} has a folder per class and ${flat.join("/, ")}/ has none (sort its images into` +
        ` ${flat[0]}/CLASS, or give --data ${root}/${train} to hold out a fifth of each class)`,
    );
  for (const name of flat)
    notes.push(
      `left out ${counted(inside(tree.files, name))} of ${root}/${name}: it has no folders of classes`,
    );
  const used = known.filter((name) => !flat.includes(name));
  const classes = unique(used.flatMap((name) => [...classesIn(name), ...foldersOf(within(tree, name))]));
  const part = (name: string): Part => {
    const files = inside(tree.files, name);
    const isLoose = (file: string): boolean => !file.includes("/");
    for (const file of files.filter(isLoose)) skip(`${name}/${file}`, "it lies in no folder of a class");
    const classed = files.filter((file) => !isLoose(file));
    return labelled(`${name}/`, classed, classes);
  };
  const withClasses = (side: readonly string[]) => side.filter((name) => !flat.includes(name));
  const sides = { train: names.train, val: withClasses(names.val), test: withClasses(names.test) };
  return { ...partsFor(sides, part), classes, notes };
}

function partsFor({ train, val, test }: SideNames, part: (name: string) => Part) {
  return {
    train: part(train[0]!),
    ...(val[0] && { val: part(val[0]) }),
    ...(test[0] && { test: part(test[0]) }),
  };
}
