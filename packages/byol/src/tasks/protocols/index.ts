/** Every protocol, in the order in which they are listed. */
import type { Protocol, Published, Quick } from "../protocol.js";
import { fewShot } from "./few-shot.js";
import { finetune } from "./finetune.js";
import { knn } from "./knn.js";
import { linear } from "./linear.js";
import { semi } from "./semi.js";
import { transfer } from "./transfer.js";

export const protocols: readonly Protocol[] = [knn, linear, fewShot, semi, finetune, transfer];

/** Those that are measured before and after every pre-training. */
export const quickProtocols: readonly Quick[] = protocols.flatMap(({ quick }) => quick ?? []);

/** The paper's row for a protocol on a data set (by its kind, `cifar10` of `cifar10:DIR`), if it has one. */
export function publishedFor(
  protocol: string,
  data: string,
  known: readonly Protocol[] = protocols,
): Published | undefined {
  const kind = data.split(":")[0]!;
  for (const { published } of known) {
    const row = published?.(protocol, kind);
    if (row) return row;
  }
  return undefined;
}
