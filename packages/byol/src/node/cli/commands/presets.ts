/** `byol presets`: what there is, and everything in one of them. */
import { Command } from "commander";
import { type PresetOptions, resolvePreset } from "../../../config/node/file.js";
import { targetOf } from "../../../methods/index.js";
import type { Preset } from "../../../presets/preset.js";
import { presets } from "../../../presets/index.js";
import { columns } from "../../../columns.js";
import { withPresetOptions } from "../options.js";

export const presetsCommand = (): Command =>
  withPresetOptions(
    new Command("presets")
      .description("Lists the presets with their sources and results, or prints one of them as JSON")
      .argument("[name]", "print this one, with the changes that the options make"),
  ).action((name: string | undefined, flags: PresetOptions) => {
    const one = name ?? flags.preset;
    const changed = Object.keys(flags).length > 0;
    const text =
      one !== undefined || changed
        ? JSON.stringify(resolvePreset({ ...flags, ...(one !== undefined && { preset: one }) }), null, 2)
        : presetTable(Object.values(presets));
    process.stdout.write(`${text}\n`);
  });

/** The presets, one a line, each with where it comes from and what it reaches. */
export function presetTable(all: readonly Preset[]): string {
  const head = ["preset", "network", "side", "batch", "epochs", "optimiser", "rate", "τ"];
  const [title, ...lines] = columns([head, ...all.map(row)]);
  const details = ({ description, source, expected }: Preset) =>
    `  ${description}\n  source: ${source}\n  expected: ${expected}`;
  return [title, ...lines.map((line, i) => `\n${line}\n${details(all[i]!)}`)].join("\n");
}

function row({ name, network, image, batch, epochs, optimizer, method }: Preset): string[] {
  const net = `${network.block} ${network.blocks.join("-")} ×${network.width}`;
  const numbers = [image.size, batch, epochs].map(String);
  const tau = targetOf(method)?.tau;
  return [
    name,
    net,
    ...numbers,
    optimizer.kind,
    String(optimizer.learningRate),
    tau === undefined ? "" : String(tau),
  ];
}
