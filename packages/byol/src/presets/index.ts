/** Every preset: a file a family, all of them validated data. */
import { UsageError } from "../errors.js";
import { suggestion } from "../suggestion.js";
import { type Preset, parsePreset } from "./preset.js";
import { cifar } from "./cifar.js";
import { digits, tiny } from "./digits.js";
import { emoji } from "./emoji.js";
import { folder } from "./folder.js";
import { imagenet } from "./imagenet.js";
import { imagenette } from "./imagenette.js";
import { stl10 } from "./stl10.js";

/** Every preset, by name. */
export const presets: Readonly<Record<string, Preset>> = Object.fromEntries(
  [digits, emoji, folder, ...cifar, stl10, imagenette, ...imagenet, tiny].map((preset) => [
    preset.name,
    parsePreset(preset),
  ]),
);

/** The preset of a name. Throws UsageError listing the names there are. */
export function presetNamed(name: string): Preset {
  const preset = Object.hasOwn(presets, name) ? presets[name] : undefined;
  if (!preset)
    throw new UsageError(
      `preset: there is no "${name}"${suggestion(name, Object.keys(presets))}; there are ${Object.keys(presets).join(", ")}`,
    );
  return preset;
}

/** The first preset made for data of this kind, when none is named: `cifar10-r18` for "cifar10:DIR". */
export function presetFor(data: string): string {
  const kind = data.replace(/:.*$/s, "");
  const made = Object.values(presets).find((preset) => preset.data === data || preset.data === `${kind}:DIR`);
  return made?.name ?? folder.name;
}
