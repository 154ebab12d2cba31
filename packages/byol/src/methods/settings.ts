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

const byolSchema = z.strictObject({
  name: z.literal("byol"),
  projector: headSchema,
  /** null: the projection itself is compared with the target's, which collapses. */
  predictor: headSchema.nullable(),
  target: targetSchema,
});

export const methodSchema = z.discriminatedUnion("name", [byolSchema]);
export type Method = z.infer<typeof methodSchema>;
