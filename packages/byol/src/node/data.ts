/** What a run asks of its data, and says of them. */
import { DataError } from "../errors.js";
import type { DataSource } from "../images/source.js";
import type { Progress } from "./report/progress.js";
import type { RunRecord } from "./run/checkpoints/record.js";

/** The images of a resumed run have to be those that it began with. */
export function checkSame({ images, classes }: RunRecord, { train, classes: now }: DataSource): void {
  if (train.length !== images || now.join() !== classes.join())
    throw new DataError(
      `data: ${train.length} images of ${now.length} classes are not the ${images} of ${classes.length} that the run began with (name them with --data)`,
    );
}

/** Said before a run starts. */
export function describe({ name, train, heldOut, classes, image }: DataSource): string {
  const labels = classes.length > 0 ? `${classes.length} classes` : "no labels";
  const held = classes.length > 0 || heldOut.length > 0 ? `, ${heldOut.length} held out` : "";
  return `data: ${name}, ${train.length} images of ${image.height}×${image.width}×${image.channels}, ${labels}${held}`;
}

/** Says which images could not be read, by name. */
export function reportSkipped(data: DataSource, progress: Progress): void {
  const skipped = data.skipped();
  if (skipped.length === 0) return;
  if (skipped.length === data.train.length + data.heldOut.length)
    throw new DataError("data: no image could be read");
  progress.note(`skipped ${skipped.length} image${skipped.length === 1 ? "" : "s"} that could not be read:`);
  // By name: workers find them in any order.
  const sorted = [...skipped].sort((a, b) => (a.file < b.file ? -1 : 1));
  for (const { file, reason } of sorted) progress.note(`  ${file}: ${reason}`);
}
