import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  baseLimits,
  bindingsOf,
  type BoundCall,
  type Choice,
  Choices,
  classOf,
  type FamilyKernel,
  gemm as gemmFamily,
  generatorHash,
  kernelOf,
  type Memory,
  openWebGpu,
  platform,
  oracleOf,
  product,
  type Tunable,
  Tuner,
  type TuneStore,
  type TuneTarget,
  type Variant,
  variantsOf,
} from "@dawnstrap/tensor/testing";
import { difference, expectedOf, hostBindings } from "./families.js";
import { runKernel } from "./run-kernel.js";

const gemm = (m: number, n: number, k: number): FamilyKernel => kernelOf(gemmFamily, product(m, n, k));
const callOf = (m: number, n: number, k: number): Tunable => ({
  key: `${m} ${n} ${k}`,
  spec: gemm(m, n, k),
  bindings: bindingsOf(gemmFamily, product(m, n, k)),
});

class Words implements Memory {
  readonly words: Float32Array;
  constructor(readonly bytes: number) {
    this.words = new Float32Array(bytes / 4);
  }
}

type Behaviour = { ms: number; wrong?: number; refuses?: boolean };

/** A device in plain JavaScript, whose variants take as long, and err as much, as it is told. */
class Pretended implements TuneTarget {
  held = 0;
  constructor(private readonly behaviour: (index: number) => Behaviour) {}

  variantsOf(spec: FamilyKernel): readonly Variant[] {
    return variantsOf(spec, baseLimits);
  }
  allocate(bytes: number): Memory {
    this.held++;
    return new Words(bytes);
  }
  free(): void {
    this.held--;
  }
  write(memory: Memory, _: number, data: ArrayBufferView): void {
    (memory as Words).words.set(data as Float32Array);
  }
  async read(memory: Memory): Promise<ArrayBuffer> {
    return (memory as Words).words.slice().buffer;
  }
  async prepareAs(call: BoundCall, variant: Variant, repeats: number) {
    const index = this.variantsOf(call.spec as FamilyKernel).findIndex(
      (v) => JSON.stringify(v) === JSON.stringify(variant),
    );
    const { ms, wrong, refuses } = this.behaviour(index);
    if (refuses) throw new Error("line 3: unresolved value 'x'");
    const [a, b, c] = call.bindings.map(({ memory }) => (memory as Words).words);
    const oracle = oracleOf(gemmFamily, (call.spec as FamilyKernel).params, [a!, b!]);
    const run = (): void => {
      c!.forEach((_, at) => {
        c![at] = oracle.at(at);
      });
      if (wrong !== undefined) c![wrong]! += 0.05;
    };
    return { run, release: () => {}, ms: ms * repeats };
  }
  async time(program: unknown): Promise<number> {
    return (program as { ms: number }).ms;
  }
}

const none = (): Promise<Choices> => Choices.open(undefined, "adapter", () => "generator");

describe("choosing", () => {
  const call = callOf(40, 36, 20);
  const variants = variantsOf(call.spec, baseLimits);

  test("the fastest variant is kept, and used for the calls of its class", async () => {
    const target = new Pretended((i) => ({ ms: i === 2 ? 5 : 10 }));
    const tuner = new Tuner(target, await none());
    expect(tuner.chosen(call)).toBeUndefined();
    const progress: string[] = [];
    const [report] = await tuner.tune([call, call], {
      seconds: 60,
      onProgress: ({ done, total }) => progress.push(`${done}/${total}`),
    });
    expect(report).toMatchObject({ variant: variants[2], ms: 5, defaultMs: 10, rejected: [] });
    expect(report!.timed).toBe(variants.length);
    expect(progress).toEqual(["1/1"]);
    expect(tuner.chosen(call)).toEqual(variants[2]);
    expect(tuner.chosen(callOf(44, 36, 20))).toEqual(variants[2]);
    expect(tuner.chosen(callOf(80, 36, 20))).toBeUndefined();
    expect(target.held).toBe(0);
    // Nothing left to try, unless asked again.
    expect(await tuner.tune([call], { seconds: 60 })).toEqual([]);
    expect(await tuner.tune([call], { seconds: 60, again: true })).toHaveLength(1);
  });

  test("a fast variant that errs in one element is rejected, wherever it is", async () => {
    for (const wrong of [0, 777, 40 * 36 - 1]) {
      const tuner = new Tuner(new Pretended((i) => (i === 1 ? { ms: 1, wrong } : { ms: 10 })), await none());
      const [report] = await tuner.tune([call], { seconds: 60 });
      expect(report!.variant).toEqual(variants[0]);
      expect(report!.rejected).toEqual([
        { variant: variants[1], why: expect.stringMatching(`element ${wrong} is`) },
      ]);
    }
  });

  test("a variant that does not compile is rejected", async () => {
    const tuner = new Tuner(new Pretended((i) => ({ ms: 40 - i, refuses: i === 3 })), await none());
    const [report] = await tuner.tune([call], { seconds: 60 });
    expect(report!.rejected).toEqual([{ variant: variants[3], why: "line 3: unresolved value 'x'" }]);
    expect(report!.variant).toEqual(variants.at(-1));
  });

  test("a default that errs is an error, not a choice", async () => {
    const target = new Pretended(() => ({ ms: 1, wrong: 0 }));
    await expect(new Tuner(target, await none()).tune([call], { seconds: 60 })).rejects.toThrow(
      /gemm .*element 0 is/,
    );
    expect(target.held).toBe(0);
  });

  test("differences of a few percent leave the default", async () => {
    const tuner = new Tuner(new Pretended((i) => ({ ms: i === 0 ? 10 : 9.8 })), await none());
    const [report] = await tuner.tune([call], { seconds: 60 });
    expect(report!.variant).toEqual(variants[0]);
  });

  test("without time nothing is tried", async () => {
    const tuner = new Tuner(new Pretended(() => ({ ms: 1 })), await none());
    expect(await tuner.tune([call], { seconds: 0 })).toEqual([]);
  });

  test("a result that the generator does not offer is not used", async () => {
    const choices = await none();
    const tuner = new Tuner(new Pretended(() => ({ ms: 1 })), choices);
    const variant = { style: "tiles", down: 3, across: 5, rows: 7, columns: 1, depth: 2 } as const;
    choices.set(classOf(call.spec)!, { variant, defaultMs: 2, ms: 1 });
    expect(tuner.chosen(call)).toBeUndefined();
  });
});

describe("classes and hashes", () => {
  test("alignment and direction are part of a class, small differences of size are not", () => {
    expect(classOf(gemm(500, 500, 500))).toBe(classOf(gemm(512, 480, 600)));
    expect(classOf(gemm(500, 500, 500))).not.toBe(classOf(gemm(500, 500, 501)));
    expect(classOf(gemm(500, 500, 500))).not.toBe(classOf(gemm(500, 100, 500)));
    expect(classOf({ family: "scatterAdd", params: { rows: 1, inner: 1, count: 1 } })).toBeUndefined();
  });

  test("the generators' hash depends on the limits", () => {
    expect(generatorHash(baseLimits)).toMatch(/^[0-9a-f]{16}$/);
    expect(generatorHash(baseLimits)).toBe(generatorHash({ ...baseLimits }));
    expect(generatorHash(baseLimits)).not.toBe(generatorHash({ ...baseLimits, hardware: false }));
  });
});

/** Where results are kept by default, with the environment saying where that is. */
function storeAt(path: string): TuneStore {
  vi.stubEnv("DAWNSTRAP_TUNE_CACHE", path);
  return platform.tuneStore()!;
}

describe("keeping", () => {
  let folder: string;
  let store: TuneStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "dawnstrap-tune-"));
    store = storeAt(join(folder, "below", "tune.json"));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
  const choice: Choice = { variant: { style: "element" }, defaultMs: 2, ms: 1 };
  const open = (adapter: string, generator: string): Promise<Choices> =>
    Choices.open(store, adapter, () => generator);

  test("results come back for the same adapter and generators, for others not", async () => {
    const here = await open("a", "1");
    const other = await open("b", "1");
    here.set("x", choice);
    other.set("y", choice);
    await here.save();
    await other.save();
    expect((await open("a", "1")).get("x")).toEqual(choice);
    expect((await open("a", "1")).size).toBe(1);
    expect((await open("b", "1")).get("y")).toEqual(choice);
    expect((await open("a", "2")).size).toBe(0);
  });

  test("two processes that tune at once keep both results", async () => {
    const [one, two] = [await open("a", "1"), await open("a", "1")];
    one.set("x", choice);
    two.set("y", choice);
    await one.save();
    await two.save();
    expect((await open("a", "1")).size).toBe(2);
  });

  test.each([
    ["no JSON", "{"],
    ["another file", '{"name": "a package"}'],
    ["another format", '{"format": 2, "adapters": {}}'],
    ["choices that are none", '{"format": 1, "adapters": {"a": {"generator": "1", "choices": {"x": 3}}}}'],
  ])("%s is ignored with a warning, and replaced", async (_, text) => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const path = join(folder, "tune.json");
    store = storeAt(path);
    await writeFile(path, text);
    const choices = await open("a", "1");
    expect(choices.size).toBe(0);
    expect(warn.mock.calls[0]![0]).toContain(path);
    choices.set("x", choice);
    await choices.save();
    expect((await open("a", "1")).get("x")).toEqual(choice);
  });

  test("a device tunes, keeps, and finds its choices again; off reads nothing", async () => {
    const path = join(folder, "tune.json");
    vi.stubEnv("DAWNSTRAP_TUNE_CACHE", path);
    const p = product(17, 8, 33);
    const c = { spec: kernelOf(gemmFamily, p), bindings: hostBindings(gemmFamily, p) };
    const expected = expectedOf(gemmFamily, p);
    const full = await openWebGpu({ tune: "full", tuneSeconds: 1 });
    const [result] = (await runKernel(full, c.spec, c.bindings)).slice(-1);
    expect(difference(result!, expected)).toBeLessThan(2e-6);
    const slowest = full.variantsOf(c.spec).at(-1)!;
    await full.destroy();

    // What was found may be the default; another choice shows that the file is heeded.
    const text = await readFile(path, "utf8");
    const kept = JSON.parse(text) as {
      adapters: Record<string, { choices: Record<string, { variant: Variant }> }>;
    };
    const [section] = Object.values(kept.adapters);
    const [name] = Object.keys(section!.choices);
    expect(name).toBe(classOf(c.spec));
    section!.choices[name!]!.variant = slowest;
    await writeFile(path, JSON.stringify(kept));

    const call = { key: "", spec: c.spec, bindings: [] };
    const cached = await openWebGpu();
    expect(cached.tuner.chosen(call)).toEqual(slowest);
    const again = (await runKernel(cached, c.spec, c.bindings)).at(-1)!;
    expect(difference(again, expected)).toBeLessThan(2e-6);
    await cached.destroy();

    const warn = vi.spyOn(console, "warn");
    await writeFile(path, "{");
    const off = await openWebGpu({ tune: "off" });
    expect(off.tuner.chosen(call)).toBeUndefined();
    expect(warn).not.toHaveBeenCalled();
    await off.destroy();
  });

  test("an unknown mode is refused", async () => {
    await expect(openWebGpu({ tune: "always" as never })).rejects.toThrow(
      /unknown tune "always"; choose one of/,
    );
  });
});
