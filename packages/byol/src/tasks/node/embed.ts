/** Features of images as files that other tools read: NumPy's .npy, and Parquet with the images' names. */
import { parquetWriteBuffer } from "hyparquet-writer";
import { dump } from "npyjs";
import { UsageError } from "../../errors.js";

export interface Embeddings {
  /** Row-major [count, width]. */
  readonly features: Float32Array;
  readonly width: number;
  /** Name of each image. */
  readonly names: readonly string[];
  /** Class of each image; empty where there are none. */
  readonly classes: readonly string[];
}

/** Bytes of a .npy file, float32 [count, width]. */
export const npyOf = ({ features, width }: Pick<Embeddings, "features" | "width">): Uint8Array =>
  new Uint8Array(dump(features, [features.length / width, width]));

/** Bytes of a Parquet file with the columns path, class (where there are classes) and feature_0 to feature_{width−1}. */
export function parquetOf({ features, width, names, classes }: Embeddings): Uint8Array {
  const column = (j: number): Float32Array =>
    Float32Array.from({ length: names.length }, (_, i) => features[i * width + j]!);
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "path", data: [...names], type: "STRING" },
        ...(classes.length ? [{ name: "class", data: [...classes], type: "STRING" as const }] : []),
        ...Array.from({ length: width }, (_, j) => ({
          name: `feature_${j}`,
          data: column(j),
          type: "FLOAT" as const,
        })),
      ],
    }),
  );
}

/** What makes the bytes of a file, by its ending. Throws UsageError for an ending that is not known. */
export function embeddingsFormat(file: string): (embeddings: Embeddings) => Uint8Array {
  if (file.endsWith(".npy")) return npyOf;
  if (file.endsWith(".parquet")) return parquetOf;
  throw new UsageError(`embed: ${file} ends neither in .npy nor in .parquet (give it one of these endings)`);
}
