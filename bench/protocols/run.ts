/** `npm run bench:protocols`: the heavy parts of evaluation at the sizes they are used at, once each. */
import { knnAccuracy, lambdaGrid, transferLinear } from "@dawnstrap/byol/tasks";
import { type DeviceChoice, openDevice } from "@dawnstrap/tensor";
import { describeRun, machineText } from "../shared/machine.js";
import { command, deviceOption } from "../shared/options.js";
import { appendSection, percent, resultsFile, sectionOf, table } from "../shared/section.js";

const { device: choice, report } = command(
  "bench:protocols",
  "Times the λ grid of transfer and a large kNN on one device, and says how much memory they took",
)
  .addOption(deviceOption("where to run"))
  .option("--report", "append a section to bench/RESULTS.md")
  .parse()
  .opts<{ device: DeviceChoice; report?: boolean }>();

const classes = 10;

/** Clouds, one a class, that overlap. */
function clouds(count: number, width: number, seed: number) {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  const features = Float32Array.from({ length: count * width }, (_, at) => {
    const [i, j] = [Math.floor(at / width), at % width];
    const centre = 0.3 * Math.sin(1 + labels[i]! * (j + 1) * 1.7);
    return centre + 4 * uniform();
  });
  return { features, labels, width };
}

const rows: string[][] = [];

const mebibytes = (): number => process.memoryUsage().rss / 2 ** 20;

async function timed(name: string, work: () => Promise<string>): Promise<void> {
  const before = mebibytes();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, mebibytes());
  }, 20);
  const started = performance.now();
  const said = await work();
  const seconds = (performance.now() - started) / 1000;
  clearInterval(watch);
  most = Math.max(most, mebibytes());
  const row = [name, `${seconds.toFixed(1)} s`, `${(most - before).toFixed(0)} MiB`, said];
  rows.push(row);
  console.log(row.join(", "));
}

const about = describeRun();
const device = await openDevice(choice);
console.log(`${device.kind}, ${device.description}`);

const [train, validation] = [clouds(8000, 128, 0), clouds(2000, 128, 1)];
await timed(`transfer, ${lambdaGrid.length} λ on 8,000 × 128`, async () => {
  const asSet = ({ features, labels }: typeof train) => ({ features, targets: { labels, classes } });
  const score = (logits: Float32Array): number => {
    let right = 0;
    validation.labels.forEach((label, i) => {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      if (row.indexOf(Math.max(...row)) === label) right++;
    });
    return right / validation.labels.length;
  };
  const found = await transferLinear(device, 128, asSet(train), asSet(validation), score);
  return `λ ${found.lambda.toExponential(2)} chosen, validation ${percent(Math.max(...found.scores))} %`;
});

const [bank, queries] = [clouds(10_000, 512, 0), clouds(10_000, 512, 1)];
await timed("kNN, 10,000 × 10,000 × 512, k = 200", async () => {
  const share = await knnAccuracy(device, bank, queries, classes, { k: 200 });
  return `${percent(share)} % right`;
});
await device.destroy();
if (report)
  appendSection(
    resultsFile,
    sectionOf("Heavy parts of evaluation", about, [
      `${device.kind} (${device.description}), ${machineText(about)}; once each, from features to the outcome; memory is the ` +
        "growth of the process.",
      table(["part", "time", "memory", "outcome"], rows),
    ]),
  );
