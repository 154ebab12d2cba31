/** The names of a preset's fields, such as `views.0.blur.probability`, read off its schema. */
import { z } from "zod";
import { UsageError } from "../errors.js";
import { suggestion } from "../suggestion.js";
import { presetSchema } from "../presets/preset.js";

/** Every path into values of a schema: objects, their fields, the elements of tuples. */
function* pathsOf(schema: z.core.$ZodType, at: string): Generator<string> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    yield* pathsOf(schema.unwrap(), at);
    return;
  }
  if (schema instanceof z.ZodDiscriminatedUnion || schema instanceof z.ZodUnion) {
    for (const option of schema.options) yield* pathsOf(option, at);
    return;
  }
  if (at) yield at;
  const below = (key: string | number) => (at ? `${at}.${key}` : String(key));
  if (schema instanceof z.ZodObject)
    for (const [key, field] of Object.entries(schema.shape)) yield* pathsOf(field, below(key));
  if (schema instanceof z.ZodTuple)
    for (const [i, item] of schema.def.items.entries()) yield* pathsOf(item, below(i));
}

/** Every field of a preset, whichever optimiser and method it names. */
export const presetPaths = (): ReadonlySet<string> => new Set(pathsOf(presetSchema(), ""));

/** Throws UsageError with the nearest name when a preset has no such field. */
export function checkPath(path: string): void {
  const paths = presetPaths();
  if (paths.has(path)) return;
  throw new UsageError(
    `set: a preset has no field "${path}"${suggestion(path, paths)}; "byol presets NAME" prints every field of one`,
  );
}
