/** `byol report` on made-up runs, and the page that it writes as a browser opens it from the disk. */
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { encodeSafetensors } from "@dawnstrap/nn";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startByol } from "../byol/run.js";
import { executable } from "./page.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "report-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const report = (...words: string[]) => startByol("report", ...words).ended;

const bytes = (array: Float32Array | Int32Array) => new Uint8Array(array.buffer);

/** 40 images of two classes, whose features are far apart and whose thumbnails are red and blue. */
function embeddings(): Uint8Array {
  const [count, width, side] = [40, 6, 8];
  const features = Float32Array.from({ length: count * width }, (_, k) => {
    const [i, j] = [Math.floor(k / width), k % width];
    return (j === i % 2 ? 5 : 0) + Math.sin(1 + 7.3 * k);
  });
  const thumbnails = Uint8Array.from({ length: count * side * side * 3 }, (_, k) =>
    k % 3 === (Math.floor(k / (side * side * 3)) % 2 ? 2 : 0) ? 220 : 20,
  );
  return encodeSafetensors(
    [
      ["features", { dtype: "F32", shape: [count, width], bytes: bytes(features) }],
      [
        "labels",
        { dtype: "I32", shape: [count], bytes: bytes(Int32Array.from({ length: count }, (_, i) => i % 2)) },
      ],
      ["thumbnails", { dtype: "U8", shape: [count, side, side, 3], bytes: thumbnails }],
    ],
    { classes: JSON.stringify(["<red>", "</script>blue"]) },
  );
}

const share = (value: number) => ({ value, low: value - 0.05, high: value + 0.05 });
const evaluation = {
  ...{ id: "1", protocol: "transfer", version: "0.1.0", date: "2026-01-31T00:00:00Z", seed: 4, seconds: 1 },
  ...{ encoder: "made up", encoder_file: "encoder.safetensors", encoder_sha256: "0", image: {}, view: {} },
  ...{
    data: "dtd:/images",
    device: "cpu",
    device_description: "none",
    settings: { chosen: { lambda: 0.25 } },
  },
  ...{ images: { train: 2, test: 9, skipped: 0 }, classes: ["<red>", "</script>blue"] },
  metrics: { top1: share(7 / 9), mean_per_class: share(0.75), confusion: [3, 1, 1, 4] },
};

async function fabricate(name: string, { ended = false, steps = 1200 } = {}): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  const preset = { name: "<i>made up</i>", batch: ended ? 64 : 32, views: [{ flip: 0 }, { flip: 1 }] };
  await writeFile(
    join(folder, "config.json"),
    JSON.stringify({ data: "digits", seed: 1, steps: 1200, preset }),
  );
  const lines = Array.from({ length: steps }, (_, step) => ({
    ...{
      step,
      epoch: step / 100,
      loss: 4 - step / 600,
      lr: 0.1,
      tau: 0.99,
      std: 0.08,
      images_per_second: 90,
    },
    ...(step % 50 === 0 && { effective_rank: 20 }),
    ...(step === 7 && { alarm: "it <u>collapsed</u>" }),
  }));
  await writeFile(join(folder, "metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  if (!ended) return folder;
  const accuracies = { knn: 0.5, linear: 0.75, few_shot: null };
  await writeFile(
    join(folder, "summary.json"),
    JSON.stringify({
      ...{ device: "cpu", data: "digits", preset: "made up", seed: 1, epochs: 12, steps: 1200 },
      ...{ seconds: 75, images_per_second: 90, loss_first: 4, loss_last: 2 },
      ...{ random_init: accuracies, pretrained: { ...accuracies, knn: 0.875 } },
    }),
  );
  await writeFile(join(folder, "embeddings.safetensors"), embeddings());
  await mkdir(join(folder, "evaluations"));
  await writeFile(join(folder, "evaluations", "one.json"), JSON.stringify(evaluation));
  return folder;
}

it("shows plots, tables, a map and neighbours without a network or an error", async () => {
  const [ended, going] = [
    await fabricate("a<b>&", { ended: true }),
    await fabricate("going", { steps: 300 }),
  ];
  // As a killed process leaves it.
  await appendFile(join(going, "metrics.jsonl"), '{"step":300,"lo');
  const [file, again] = [join(root, "one.html"), join(root, "two.html")];
  expect(await report(ended, going, "--out", file)).toMatchObject({ code: 0, err: "" });
  await report(ended, going, "--out", again);
  expect(await readFile(again, "utf8")).toBe(await readFile(file, "utf8"));
  expect((await stat(file)).size).toBeLessThan(300_000);

  const browser = await chromium.launch({ executablePath: executable(), args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1300, height: 900 } });
    const problems: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url().slice(0, 60)));
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector("body.drawn", { state: "attached" });
    expect(problems).toEqual([]);
    expect(asked.filter((url) => !url.startsWith("data:"))).toEqual([pathToFileURL(file).href.slice(0, 60)]);
    const titles = await page.locator(".uplot .u-title").allTextContents();
    expect(titles).toEqual(expect.arrayContaining(["loss", "τ", "learning rate", "images a second"]));
    expect(titles).toHaveLength(6);
    expect(await page.locator(".u-over").first().boundingBox()).toMatchObject({ height: expect.any(Number) });
    expect(await page.locator(".map canvas").count()).toBe(1);
    // Nearest neighbours are of the image's own class, the only one that their features tell.
    const rows = await page
      .locator(".row")
      .evaluateAll((all) =>
        all.map((row) => [...row.children].map((tile) => (tile as HTMLElement).title.split(",")[0])),
      );
    expect(rows).toHaveLength(9);
    for (const row of rows) expect([row.length, new Set(row).size]).toEqual([9, 1]);
    const results = page.locator("table.evaluations tbody tr");
    expect(await results.allInnerTexts()).toEqual([
      expect.stringMatching(
        /transfer\s+dtd:\/images\s+a<b>&, an encoder .*\s4\s+77\.8 \(72\.8–82\.8\)\s+75\.0/,
      ),
      expect.stringMatching(/BYOL, ResNet-50, the paper's Table 3\s+75\.5/),
    ]);
    await page.locator("details", { hasText: "transfer on dtd" }).locator("summary").click();
    const cell = page.locator("table.heat tbody td").nth(3);
    expect(await cell.innerText()).toBe("4");
    expect(await cell.evaluate((td) => getComputedStyle(td).backgroundColor)).toMatch(/0\.48/);
    const text = await page.locator("body").innerText();
    for (const words of [
      "a<b>&",
      "<i>made up</i>",
      "50.0 % → 87.5 %",
      "300 of 1200",
      "it <u>collapsed</u>",
      "</script>blue",
    ])
      expect(text).toContain(words);
    expect(text).toContain("No map for going");
    expect(text).toMatch(/preset\.batch\s+64\s+32/);
  } finally {
    await browser.close();
  }
});
