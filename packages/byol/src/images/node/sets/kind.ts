/** A data set in its published layout: what must be there, how large its parts are, and how it is read. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../../../errors.js";
import { Opening } from "../opening.js";
import type { DataOptions, DataSource, ImageSet, ImageShape, Splits } from "../../source.js";
import type { ImageFormat } from "../../settings.js";

/** What a data set turns out to hold. */
export interface Contents {
  readonly image: ImageShape;
  readonly classes: readonly string[];
  readonly splits: Splits;
  /** Images without labels, which are pretrained on instead of trainval. */
  readonly unlabelled?: ImageSet;
}

export interface DataSetKind {
  /** As in `--data name:DIR`. */
  readonly name: string;
  readonly title: string;
  /** Folder that the published archive unpacks to; DIR may be it or the folder it lies in. */
  readonly inner?: string;
  /** What must be there, below DIR; of alternatives, parted by "|", one. */
  readonly needs: readonly string[];
  /** Sizes of the parts, from the paper (App. D.1, Table 10) where it uses the set. */
  readonly official: Readonly<Partial<Record<keyof Splits | "unlabelled" | "classes", number>>>;
  read(root: string, opening: Opening): Promise<Contents>;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The first of the alternatives "a|b" that is there, as a full path. */
export async function firstOf(root: string, alternatives: string): Promise<string | undefined> {
  for (const path of alternatives.split("|")) if (await exists(join(root, path))) return join(root, path);
  return undefined;
}

async function missing(root: string, { needs }: DataSetKind): Promise<string[]> {
  const found = await Promise.all(needs.map((need) => firstOf(root, need)));
  return needs.filter((_, i) => !found[i]).map((need) => need.replaceAll("|", " or "));
}

/** DIR itself, or the folder of the published archive in it. */
async function rootOf(folder: string, kind: DataSetKind): Promise<string> {
  const inner = kind.inner && join(folder, kind.inner);
  return inner && (await exists(inner)) ? inner : folder;
}

/** Whether everything that the kind needs is below the folder. */
export const fits = async (folder: string, kind: DataSetKind): Promise<boolean> =>
  (await missing(await rootOf(folder, kind), kind)).length === 0;

/** Throws DataError that names what is missing, or a part whose size is not the published one. */
export async function openKind(
  kind: DataSetKind,
  folder: string,
  format: ImageFormat,
  options: DataOptions = {},
): Promise<DataSource> {
  const root = await rootOf(folder, kind);
  if (!(await exists(root))) throw new DataError(`${kind.name}: ${folder} does not exist`);
  const gone = await missing(root, kind);
  if (gone.length > 0) {
    const named = gone.slice(0, 10).join(", ") + (gone.length > 10 ? ` and ${gone.length - 10} more` : "");
    throw new DataError(
      `${kind.name}: ${root} is not laid out as ${kind.title}: it lacks ${named} (unpack the published archives there)`,
    );
  }
  const opening = new Opening(format, options);
  try {
    const { image, classes, splits, unlabelled } = await kind.read(root, opening);
    if (!options.anySize) checkSizes(kind, root, { ...splits, classes, unlabelled });
    return opening.source({
      ...{ name: `${kind.name}:${folder}`, image, classes, splits },
      ...{ train: unlabelled ?? splits.trainval, heldOut: splits.test },
    });
  } catch (error) {
    await opening.close();
    throw error;
  }
}

function checkSizes(
  { name, title, official }: DataSetKind,
  root: string,
  parts: Partial<Record<string, { length: number }>>,
): void {
  const wrong = Object.entries(official).flatMap(([part, wanted]) => {
    const found = parts[part]?.length ?? 0;
    return found === wanted ? [] : [`${part} ${found} instead of ${wanted}`];
  });
  if (wrong.length > 0)
    throw new DataError(
      `${name}: ${root} is not the whole of ${title}: ${wrong.join(", ")} (unpack it again, or take it as it is with --any-size)`,
    );
}
