/**
 * Speed of the kernel families, on their usual sizes: on the cpu device with one thread and with two, and on the adapter
 * at hand.
 *
 *     npm run bench:families -- [--device cpu|webgpu] [--family NAME] [--only TEXT] [--kernels lanes|plain|tiles]
 *
 * For each device: milliseconds of compiling and the first run, then GFLOP/s by the clock and by processor time, since
 * other work disturbs the latter less: for one core on cpu, and on software adapters what the clock would show if all
 * cores were the adapter's. Mesa keeps compiled kernels in a cache on disk: MESA_SHADER_CACHE_DISABLE=true shows the cost
 * of compiling.
 */
import { cpus } from "node:os";
import {
  type Backend,
  bindingsOf,
  type BoundCall,
  type Family,
  families,
  inputsOf,
  kernelOf,
  type KernelStyle,
  openCpu,
  openWebGpu,
} from "@dawnstrap/tensor/testing";
import { Command, Option } from "commander";
import { pattern } from "../shared/options.js";

const options = new Command("bench:families")
  .addOption(new Option("--device <name>", "measure one device").choices(["cpu", "webgpu"]))
  .addOption(new Option("--family <name>", "measure one family").choices([...families.keys()]))
  .option("--only <regex>", "samples whose name matches", pattern)
  .addOption(
    new Option("--kernels <style>", "how webgpu's products are written")
      .choices(["auto", "lanes", "plain", "tiles"])
      .default("auto"),
  )
  .parse()
  .opts<{ device?: string; family?: string; only?: RegExp; kernels: KernelStyle }>();

interface Subject {
  readonly name: string;
  readonly backend: Backend;
  /** Cores that processor time is divided by. */
  readonly cores: number;
}

async function subjects(): Promise<Subject[]> {
  const all: Subject[] = [];
  if (options.device !== "webgpu")
    for (const threads of [1, 2])
      all.push({ name: `cpu, ${threads} threads`, backend: await openCpu({ threads }), cores: 1 });
  if (options.device !== "cpu") {
    const backend = await openWebGpu({ tune: "off", kernels: options.kernels });
    all.push({ name: backend.description, backend, cores: cpus().length });
  }
  return all;
}

/** Long enough for an engine's optimising compiler to have finished. */
const WARM_MS = 60;
const MEASURED_MS = 250;
const LEAST_SAMPLES = 4;
/** A sample takes at least this long, so that submitting and waiting count little. */
const SAMPLE_MS = 10;

interface Measured {
  readonly compile: number;
  readonly clock: number;
  readonly processor: number;
}

async function measure<P>({ backend, cores }: Subject, family: Family<P>, params: P): Promise<Measured> {
  const inputs = inputsOf(family, params);
  const bindings = bindingsOf(family, params).map((b, i) => {
    const memory = backend.allocate(b.bytes);
    if (inputs[i]) backend.write(memory, 0, inputs[i]);
    return { ...b, memory, byteOffset: 0 };
  });
  const spec = kernelOf(family, params);
  const call: BoundCall = { key: JSON.stringify(spec), spec, bindings };
  const used = (since: NodeJS.CpuUsage): number => {
    const { user, system } = process.cpuUsage(since);
    return (user + system) / 1000;
  };
  const began = process.cpuUsage();
  const program = await backend.prepare([call]);
  const rounds = async (count: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < count; i++) program.run();
    await backend.idle();
    return (performance.now() - start) / count;
  };
  await rounds(1);
  const compile = used(began);
  let once = Number.POSITIVE_INFINITY;
  for (const start = performance.now(); performance.now() - start < WARM_MS; )
    once = Math.min(once, await rounds(1));
  const together = Math.max(1, Math.ceil(SAMPLE_MS / once));
  const times: number[] = [];
  const usage = process.cpuUsage();
  for (
    const start = performance.now();
    performance.now() - start < MEASURED_MS || times.length < LEAST_SAMPLES;
  )
    times.push(await rounds(together));
  const processor = used(usage) / cores / together / times.length;
  program.release();
  for (const { memory } of bindings) backend.free(memory);
  times.sort((a, b) => a - b);
  return { compile, clock: times[Math.floor(times.length / 4)]!, processor };
}

const all = await subjects();
for (const subject of all) {
  console.log(subject.name);
  console.log(`${"".padEnd(72)} compile ms       ms  GFLOP/s  by processor time`);
  for (const family of families.values()) {
    if (options.family && family.name !== options.family) continue;
    for (const params of family.samples.usual) {
      const name = `${family.name} ${Object.values(params as object).join(" ")}`;
      if (options.only && !options.only.test(name)) continue;
      const { compile, clock, processor } = await measure(subject, family, params);
      const rate = (ms: number): string => (family.flops(params) / ms / 1e6).toFixed(1);
      console.log(
        `${name.padEnd(72)} ${compile.toFixed(0).padStart(10)} ${clock.toFixed(3).padStart(8)} ${rate(clock).padStart(8)} ${rate(processor).padStart(18)}`,
      );
    }
  }
}
await Promise.all(all.map(({ backend }) => backend.destroy()));
