/** `@dawnstrap/byol/node`: whole runs, their files, and images from the disk. */

// Runs, begun and resumed.
export { pretrain, resume } from "./train.js";
export type { PretrainOptions, ResumeOptions, RunOptions } from "./options.js";
export { type Progress, showProgress, silent } from "./report/progress.js";
export type { Summary } from "../metrics.js";

// The files of a run.
export { readRunFile } from "./run/files.js";

// Checkpoints.
export { type CheckpointOptions, Checkpoints } from "./run/checkpoints/checkpoints.js";
export { type Checkpoint, checksum } from "./run/checkpoints/format.js";
export type { RunRecord } from "./run/checkpoints/record.js";
export { loadState, readState } from "./run/checkpoints/state.js";
export { CheckpointStore, findCheckpoint, hasCheckpoints } from "./run/checkpoints/store.js";

// Images.
export { openData } from "../images/node/open.js";
export { openDigits } from "../images/node/digits.js";
export { openEmoji } from "../images/node/emoji.js";
export { openFolder } from "../images/node/folder.js";

// Encoders and embeddings in files; few labels.
export { type EncoderOptions, readEncoder } from "../tasks/node/encoder-file.js";
export { type Embeddings, embeddingsFormat, npyOf, parquetOf } from "../tasks/node/embed.js";
