/** `npm run bench`: microbenchmarks of tensor, autograd, nn and byol on one device. */
import { writeFileSync } from "node:fs";
import { openDevice } from "@dawnstrap/tensor";
import { describeDevice, describeRun, machineText } from "../shared/machine.js";
import { script } from "../shared/script.js";
import { casesMatching } from "./list.js";
import { type Measurement, measure } from "./measure.js";
import { flags, type Options } from "./options.js";
import { header, line, type Report } from "./report.js";

const { device: choice, only, json, seconds } = flags.parse().opts<Options>();

script("bench", async () => {
  const chosen = casesMatching(only);
  const run = describeRun();
  const probe = await openDevice(choice);
  const about = { ...run, device: describeDevice(probe), seconds_per_case: seconds };
  await probe.destroy();
  console.log(machineText(about));
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
  if (failures.length > 0) throw new Error(`${failures.length} of ${chosen.length} cases failed`);
});
