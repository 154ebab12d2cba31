/** What a preset says about its method, as validated data. */
import { z } from "zod";

const whole = z.number().int().positive();

/** Linear → (norm) → ReLU for each hidden size, then a linear layer. */
const headSchema = z.strictObject({
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

/** A network that follows the online one: ξ ← τ·ξ + (1 − τ)·θ after every step. */
const targetSchema = z.strictObject({
  /** How it starts: as a copy of the online one, or (the paper's code) with weights of its own. */
  start: z.enum(["copy", "separate"]),
  /** τ of the first step. */
  tau: z.number().min(0).max(1),
  /** τ rises to 1 along a cosine, or stays. */
  rise: z.enum(["cosine", "none"]),
});

export type Target = z.infer<typeof targetSchema>;

const byolSchema = z.strictObject({
  name: z.literal("byol"),
  projector: headSchema,
  /** null: the projection itself is compared with the target's, which collapses. */
  predictor: headSchema.nullable(),
  target: targetSchema,
});

const temperature = z.number().positive();

export const methodSchema = z.discriminatedUnion("name", [
  byolSchema,
  z.strictObject({
    name: z.literal("simclr"),
    projector: headSchema,
    temperature,
  }),
  z.strictObject({
    name: z.literal("simsiam"),
    projector: headSchema,
    predictor: headSchema,
    /** "constant": the predictor keeps the peak rate from the first step to the last. */
    predictorRate: z.enum(["constant", "scheduled"]).default("scheduled"),
  }),
  z.strictObject({
    name: z.literal("moco"),
    projector: headSchema,
    temperature,
    /** Keys of earlier batches that a query is compared with. */
    queue: whole,
    /** Each view is the query once; the paper takes the first view only. */
    symmetric: z.boolean(),
    target: targetSchema,
  }),
  z.strictObject({
    name: z.literal("barlow-twins"),
    projector: headSchema,
    /** Weight of the correlations between different features. */
    lambda: z.number().positive(),
  }),
  z.strictObject({ name: z.literal("supervised") }),
]);
export type MethodName = Method["name"];
export type Method = z.infer<typeof methodSchema>;
