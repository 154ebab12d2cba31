/** What lies in the folder of a run. */

export const CHECKPOINTS = "checkpoints";
export const METRICS = "metrics.jsonl";
/** No part of a run: it stands there while a process has the folder. */
export const LOCK = "run.lock";
export const EVENTS = "events.out.tfevents.";

const names = [
  "config.json",
  METRICS,
  "encoder.safetensors",
  "embeddings.safetensors",
  "summary.json",
  CHECKPOINTS,
  "evaluations",
] as const;

export type RunFile = (typeof names)[number];

/** Whether a run writes what has this name in its folder. */
export const isRunFile = (name: string): boolean =>
  (names as readonly string[]).includes(name) || name.startsWith(EVENTS);
