/** `npm run bench`: microbenchmarks of tensor, autograd, nn and byol on one device. */
import { writeFileSync } from "node:fs";
import { type DeviceChoice, deviceChoices, openDevice } from "@dawnstrap/tensor";
import { Command, Option } from "commander";
import { cases as autograd } from "./autograd.js";
import { cases as byol } from "./byol.js";
import type { Case } from "./case.js";
import { type Measurement, measure } from "./measure.js";
import { cases as nn } from "./nn.js";
import { describeRun, header, line, type Report } from "../micro/report.js";
import { cases as tensor } from "./tensor.js";
import { pattern, positive } from "../shared/options.js";

const layers: Readonly<Record<string, readonly Case[]>> = { tensor, autograd, nn, byol };

interface Options {
  readonly device: DeviceChoice;
  readonly only?: RegExp;
  readonly json?: string;
  readonly seconds: number;
}

const {
  device: choice,
  only,
  json,
  seconds,
} = new Command("npm run bench --")
  .description(
    "Times ops, gradients, layers and training steps on one device. Values are checked before they are timed.",
  )
  .addOption(new Option("--device <device>", "where to run").choices(deviceChoices).default("auto"))
  .option(
    "--only <pattern>",
    "cases whose layer and name (as in “tensor: matmul 512”) match, ignoring case",
    pattern,
  )
  .option("--json <file>", "write the measurements to a file")
  .option("--seconds <n>", "time for each case", positive, 1)
  .showHelpAfterError()
  .parse()
  .opts<Options>();

const chosen = Object.entries(layers).flatMap(([layer, cases]) =>
  cases.filter(({ name }) => !only || only.test(`${layer}: ${name}`)).map((one) => ({ layer, one })),
);
if (chosen.length === 0) {
  const names = Object.entries(layers).flatMap(([layer, cases]) =>
    cases.map(({ name }) => `  ${layer}: ${name}`),
  );
  console.error(`bench: --only ${only} matches none of\n${names.join("\n")}`);
  process.exit(1);
}

const probe = await openDevice(choice).catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  process.exit(1);
});
const about = describeRun(probe, seconds);
await probe.destroy();
console.log(
  `${about.machine.cpu}, ${about.machine.cores} cores, Node ${about.machine.node}, ${about.machine.platform}`,
);
console.log(`${about.device.kind}: ${about.device.description}\n`);
console.log(header);

const results: Measurement[] = [];
const failures: { layer: string; name: string; error: string }[] = [];
const save = (): void => {
  const report: Report = { ...about, results, failures };
  if (json) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
};
save();
for (const layer of new Set(chosen.map((c) => c.layer))) {
  console.log(layer);
  const device = await openDevice(choice);
  for (const { one } of chosen.filter((c) => c.layer === layer)) {
    try {
      const measured = await device.scope(() => measure(layer, one, device, seconds));
      results.push(measured);
      console.log(line(measured, device.kind));
    } catch (error) {
      failures.push({ layer, name: one.name, error: String((error as Error).message ?? error) });
      console.log(`${one.name}\n    failed: ${failures.at(-1)!.error}`);
    }
    save();
  }
  await device.destroy();
}
if (failures.length > 0) {
  console.error(`\nbench: ${failures.length} of ${chosen.length} cases failed`);
  process.exitCode = 1;
}
