/** What losses and measures ask of labels. */
import { ShapeError } from "../../errors.js";
import type { Tensor } from "../../tensor.js";
import { knownValues } from "../values/constants.js";

export const isClass = (label: number, classes: number): boolean => label >= 0 && label < classes;

/**
 * Refuses labels that are no class of logits `[batch, classes]`, where their values are still at hand: before they were
 * first used on a device, which cannot be asked while recording.
 *
 * @throws ShapeError for such a label, or when `ignoreIndex` is not an int32
 */
export function checkLabels(op: string, logits: Tensor, labels: Tensor, ignoreIndex?: number): void {
  if (ignoreIndex !== undefined && (ignoreIndex | 0) !== ignoreIndex)
    throw new ShapeError(op, `ignoreIndex ${ignoreIndex} is not a whole number of 32 bits`);
  const classes = logits.shape.at(-1) ?? 0;
  const values = labels.size === 0 ? [] : (knownValues(labels) ?? []);
  const at = values.findIndex((label) => label !== ignoreIndex && !isClass(label, classes));
  if (at === -1) return;
  throw new ShapeError(
    op,
    `label ${values[at]} at position ${at} is no class: logits of ${classes} classes want labels 0 … ${classes - 1}`,
    `give ignoreIndex: ${values[at]} if it marks examples that do not count`,
  );
}
