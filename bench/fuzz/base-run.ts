/** A sound run's folder, made once by the commands themselves: three steps on a dozen images. */
import { lstatSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "@dawnstrap/byol/testing";
import { captured } from "./captured.js";
import { ramp } from "./pictures.js";
import { signed, tensorsFile, tensorsOf } from "./safetensors-file.js";
import { lay, listing, type Tree } from "./trial.js";

/** Twelve images of two classes. */
export const imageFiles: Tree = new Map(
  await Promise.all(
    Array.from(
      { length: 12 },
      async (_, i) =>
        [
          `images/${i % 2 ? "cats" : "dogs"}/${i}.png`,
          {
            bytes: await ramp(16 + i, i)
              .png()
              .toBuffer(),
          },
        ] as const,
    ),
  ),
);

/** What a clock or the name of a temporary folder decides is another in every run, and the inputs must not be. */
const untimed = (text: string): string =>
  text
    .replaceAll(/("(?:images_per_second|seconds|all|training)": ?)[\d.e+-]+/g, "$11")
    .replaceAll(/("date": ?)"[^"]*"/g, '$1"2024-01-01T00:00:00.000Z"')
    .replaceAll(/("id": ?)"[^"]*"/g, '$1"00000000"');

function settled(path: string, bytes: Uint8Array, root: string): Uint8Array {
  if (/\.jsonl?$/.test(path))
    return Buffer.from(untimed(Buffer.from(bytes).toString()).replaceAll(root, "/moved"));
  if (!path.startsWith("run/checkpoints/")) return bytes;
  const file = tensorsOf(bytes);
  file.metadata.record = untimed(file.metadata.record!).replaceAll(root, "/moved");
  return tensorsFile(signed(file));
}

async function made(): Promise<Tree> {
  const root = mkdtempSync(join(tmpdir(), "fuzz-base-"));
  try {
    lay(imageFiles, root);
    const [run, images] = [join(root, "run"), ["--data", join(root, "images"), "--device", "cpu"]];
    const commands = [
      [
        "pretrain",
        "--preset",
        "tiny",
        "--batch",
        "4",
        "--steps",
        "3",
        "--checkpoint-steps",
        "1",
        "--out",
        run,
      ],
      ["evaluate", "knn", "--encoder", run, "--k", "1"],
    ];
    for (const words of commands) {
      const { result, err } = await captured(() => main([...words, ...images]));
      if (result !== 0) throw new Error(`byol ${words.join(" ")}: ${err}`);
    }
    const paths = [...listing(root).keys()].map((path) => path.slice(root.length + 1));
    const files = paths.filter((path) => path.startsWith("run/") && lstatSync(join(root, path)).isFile());
    return new Map(
      files.map(
        (path) =>
          [
            path.replace(/(evaluations\/knn).*/, "$1.json"),
            { bytes: settled(path, readFileSync(join(root, path)), root) },
          ] as const,
      ),
    );
  } finally {
    rmSync(root, { recursive: true });
  }
}

let base: Promise<Tree> | undefined;

/** The files below `run/`. */
export const baseRun = (): Promise<Tree> => (base ??= made());
