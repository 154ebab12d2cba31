import { openDevice } from "@dawnstrap/tensor";
import { makeTrainer } from "./training.js";
const device = await openDevice("cpu");
const trainer = makeTrainer(device);
let max = 0;
const t0 = performance.now();
for (let s = 0; s < 1500; s++) {
  await trainer.step(...trainer.inputs(s % 7)).data();
  if (process.argv[2] && s % 16 === 0) await new Promise(setImmediate);
  max = Math.max(max, device.memory().live);
  if (s % 250 === 249)
    console.log(
      s,
      device.memory(),
      "max",
      max,
      (process.memoryUsage().heapUsed / 2 ** 20).toFixed(0),
      (performance.now() - t0).toFixed(0),
    );
}
await device.destroy();
