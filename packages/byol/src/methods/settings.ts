/** What a preset says about its method, as validated data. */
import { z } from "zod";
import { headSchema, targetSchema } from "../learner/settings.js";

const whole = z.number().int().positive();

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
