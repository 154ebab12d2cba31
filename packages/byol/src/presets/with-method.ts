/** From a BYOL preset to its counterpart for another method, or to one of BYOL's ablations. */
import { UsageError } from "../errors.js";
import { suggestion } from "../suggestion.js";
import { byol } from "../methods/byol.js";
import { allMethods, methodNamed } from "../methods/index.js";
import type { Method } from "../methods/method.js";
import { scaleOf, scales } from "../methods/recipes.js";
import { ablations } from "../methods/variants.js";
import type { Preset } from "./preset.js";

/**
 * A BYOL preset's counterpart for another method, or for an ablation of BYOL: data, network, batch and epochs stay,
 * heads, optimiser and target are the method's own.
 *
 * @param of the method or its name, or the name of an ablation
 */
export function withMethod(preset: Preset, of: string | Method): Preset {
  const name = typeof of === "string" ? of : of.name;
  const ablation = Object.hasOwn(ablations, name) ? ablations[name] : undefined;
  const names = [...allMethods().map((method) => method.name), ...Object.keys(ablations)];
  if (!names.includes(name))
    throw new UsageError(
      `method: there is no "${name}"${suggestion(name, names)}; there are ${names.join(", ")}`,
    );
  if (name === preset.method.name) return preset;
  const recipes = ablation ? undefined : methodNamed(name).recipes;
  if (recipes) {
    const scale = scaleOf(preset.network);
    const recipe = recipes[scale];
    if (!recipe)
      throw new UsageError(
        `method: "${name}" has no recipe for a network of this scale (${scale}), only for ${Object.keys(recipes).join(", ")}`,
      );
    const { method, ...rest } = recipe;
    return {
      ...{ ...preset, source: scales[scale], ...rest },
      ...{ method: { name, ...method }, expected: "not measured yet" },
    };
  }
  if (!ablation && name !== byol.name)
    throw new UsageError(`method: "${name}" has no recipes (write its settings into a preset's method)`);
  if (!ablation || preset.method.name !== byol.name)
    throw new UsageError(
      `method: "${name}" is made from a preset for byol, this one is for ${preset.method.name}`,
    );
  const { method: change, ...rest } = ablation;
  return { ...preset, ...rest, method: change(byol.schema.parse(preset.method)), expected: "an ablation" };
}
