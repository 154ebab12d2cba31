/** How scores of images are judged: by the one class that each shows, or by the several of VOC 2007. */
import type { ImageSet, Splits } from "../images/source.js";
import type { Extracted } from "./extract.js";
import type { Targets } from "./logistic.js";
import { accuracy, meanAveragePrecision, predictions } from "./metrics.js";
import { membershipsOf, presenceOf } from "./presence.js";
import { type Metrics, metricsOf, precisionOf } from "./result.js";
import { labelled, splitsOf, type Subject } from "./subject.js";

export interface Judge {
  readonly splits: Splits;
  /** What is to be learnt of the rows that were extracted from a set. */
  targets(set: ImageSet, rows: Extracted): Targets;
  /** One number, greater for better scores, row-major [rows, classes]. */
  score(scores: Float32Array, set: ImageSet, rows: Extracted): number;
  metrics(scores: Float32Array, set: ImageSet, rows: Extracted): Metrics;
}

/** @throws DataError where the data cannot be learnt from or measured with */
export function judgeOf(subject: Subject): Judge {
  const splits = splitsOf(subject);
  return splits.trainval.presence ? several(subject, splits) : one(subject);
}

function one(subject: Subject): Judge {
  const { data, seed } = subject;
  const classes = data.classes.length;
  return {
    splits: labelled(subject),
    targets: (_, { labels }) => ({ labels, classes }),
    score: (scores, _, { labels }) => accuracy(predictions(scores, classes), labels),
    metrics: (scores, _, { labels }) => metricsOf(scores, labels, classes, seed),
  };
}

/** One-vs-rest, by the mean average precision at 11 points. */
function several({ data, seed }: Subject, splits: Splits): Judge {
  const classes = data.classes.length;
  const presence = (set: ImageSet, { places }: Extracted): Int8Array =>
    presenceOf(set.presence!, places, classes);
  return {
    splits,
    targets: (set, rows) => ({ memberships: membershipsOf(presence(set, rows)), classes }),
    score: (scores, set, rows) => meanAveragePrecision(scores, presence(set, rows), classes, "11-point"),
    metrics: (scores, set, rows) => precisionOf(scores, presence(set, rows), classes, seed),
  };
}

/** Metrics of scores on images that have one class each. */
export const judged = ({ data, seed }: Subject, scores: ArrayLike<number>, labels: Int32Array) => ({
  metrics: metricsOf(scores, labels, data.classes.length, seed),
  test: labels.length,
});
