/** What a preset says about the networks, as validated data. */
import { z } from "zod";

const whole = z.number().int().positive();

/** The encoder, a residual network. */
export const networkSchema = z.strictObject({
  /** "basic": two 3×3 convolutions; "bottleneck": 1×1, 3×3, 1×1 and four times the channels. */
  block: z.enum(["basic", "bottleneck"]),
  /** Blocks in each stage; from the second stage on, the first block halves the side. */
  blocks: z.array(whole).min(1),
  /** Channels of the first stage; each further stage has twice as many. */
  width: whole,
  /** "imagenet": 7×7 stride 2 and max-pool; "small": 3×3 stride 1. */
  stem: z.enum(["imagenet", "small"]),
  /** Initialise the last norm scale of each block to 0. */
  zeroInit: z.boolean(),
  /** Recompute activations in the backward pass, by stage or by block, to need less memory; left out, all are kept. */
  checkpoint: z.enum(["stage", "block"]).optional(),
});

export type NetworkSettings = z.infer<typeof networkSchema>;

/** Linear → (norm) → ReLU for each hidden size, then a linear layer. */
export const headSchema = z.strictObject({
  hidden: z.array(whole),
  output: whole,
  /** Batch norm after each hidden layer. */
  norm: z.boolean(),
  /** Of the last layer. */
  bias: z.boolean(),
  /** The output is standardised over the batch: batch norm without scale and offset. */
  outputNorm: z.boolean(),
});
export type Head = z.infer<typeof headSchema>;

/** A method's `check` where the loss compares a prediction with a projection: they have as many numbers. */
export const comparable = ({ projector, predictor }: { projector: Head; predictor: Head | null }) =>
  predictor && predictor.output !== projector.output
    ? {
        field: "predictor.output",
        message: `${predictor.output} numbers are compared with the ${projector.output} of projector.output (make them equal)`,
      }
    : undefined;

/** A network that follows the online one: ξ ← τ·ξ + (1 − τ)·θ after every step. */
export const targetSchema = z.strictObject({
  /** How it starts: as a copy of the online one, or (the paper's code) with weights of its own. */
  start: z.enum(["copy", "separate"]),
  /** τ of the first step. */
  tau: z.number().min(0).max(1),
  /** τ rises to 1 along a cosine, or stays. */
  rise: z.enum(["cosine", "none"]),
});

export type Target = z.infer<typeof targetSchema>;

/** Norm after each hidden layer; the last layer has no bias, as in the released codes of most. */
export const head = (hidden: number[], output: number, changes: Partial<Head> = {}): Head => ({
  ...{ hidden, output, norm: true, bias: false, outputNorm: false },
  ...changes,
});
export const plainHead = { norm: false, bias: true } as const;
