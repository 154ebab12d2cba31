/** A report as one HTML file that needs nothing else: no network, no folder beside it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { escaped } from "../escape.js";
import { plotsOf } from "./curves.js";
import { type ImageMap, mapOf } from "./map.js";
import { evaluationsSection } from "./evaluations.js";
import type { ReportedRun } from "./run.js";
import { configTables, summaryTable } from "./tables.js";

/** Colours of the runs: told apart by people who see colours differently, too (Okabe and Ito). */
const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a7d00"];

const library = dirname(createRequire(import.meta.url).resolve("uplot"));
const uplot = (name: string): string => readFileSync(join(library, name), "utf8");
const asset = (name: "report-page.js" | "report-page.css"): string =>
  readFileSync(new URL(`./${name}`, import.meta.url), "utf8");

/**
 * @param seed of the maps: the same runs and seed make the same page
 */
export async function reportPage(runs: readonly ReportedRun[], seed: number): Promise<string> {
  const colours = runs.map((_, i) => palette[i % palette.length]!);
  const sprites: string[] = [];
  const maps: (Omit<ImageMap, "sprite"> & { run: number; sprite: number })[] = [];
  for (const [run, { sample }] of runs.entries()) {
    const map = sample && (await mapOf(sample, seed));
    if (!map) continue;
    // Runs on the same data show the same images, which then stand in the page once.
    if (!sprites.includes(map.sprite)) sprites.push(map.sprite);
    maps.push({ ...map, run, sprite: sprites.indexOf(map.sprite) });
  }
  const names = runs.map(({ name }) => name);
  const data = { runs: names, colours, plots: plotsOf(runs), maps, sprites };
  const without = names.filter((_, i) => maps.every(({ run }) => run !== i));
  const swatches = colours.map((colour, i) => `.run${i}{background:${colour}}`).join("");
  const title = `byol: ${names.join(", ")}`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${uplot("uPlot.min.css")}${asset("report-page.css")}${swatches}</style>
<h1>${names.length === 1 ? "A run" : `${names.length} runs`}</h1>
${summaryTable(runs)}
${evaluationsSection(runs)}
<h2>Against the step</h2>
<div id="plots"></div>
<h2>Images by their features</h2>
<p>UMAP of features of held-out images. A click on an image shows those most like it.</p>
${without.length > 0 ? `<p>No map for ${escaped(without.join(", "))}: no embeddings.safetensors, or too few images in it.</p>` : ""}
<div id="maps"></div>
<h2>Configuration</h2>
${configTables(runs)}
<script type="application/json" id="data">${JSON.stringify(data).replaceAll("<", "\\u003c")}</script>
<script>${uplot("uPlot.iife.min.js")}</script>
<script>${asset("report-page.js")}</script>
</html>
`;
}
