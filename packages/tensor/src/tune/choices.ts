/** The tuning results of one adapter, as they are kept. What is read is never trusted: see `Tuner.chosen`. */
import type { Variant } from "../kernels/wgsl/index.js";
import type { TuneStore } from "../platform.js";

export interface Choice {
  readonly variant: Variant;
  /** Milliseconds of the default and of the variant, when they were measured. */
  readonly defaultMs: number;
  readonly ms: number;
}

interface Section {
  /** Of the generators that wrote the measured kernels. */
  readonly generator: string;
  readonly choices: Readonly<Record<string, Choice>>;
}

interface File {
  readonly format: 1;
  readonly adapters: Readonly<Record<string, Section>>;
}

export class Choices {
  private readonly byClass: Map<string, Choice>;

  private constructor(
    private readonly store: TuneStore | undefined,
    private readonly adapter: string,
    private readonly generator: () => string,
    found: Readonly<Record<string, Choice>>,
  ) {
    this.byClass = new Map(Object.entries(found));
  }

  /** With what was kept for this adapter; without a store, results live as long as the device. */
  static async open(
    store: TuneStore | undefined,
    adapter: string,
    generator: () => string,
  ): Promise<Choices> {
    const section = (await readFile(store)).adapters[adapter];
    const found = section && section.generator === generator() ? section.choices : {};
    return new Choices(store, adapter, generator, found);
  }

  get size(): number {
    return this.byClass.size;
  }
  get(key: string): Choice | undefined {
    return this.byClass.get(key);
  }
  set(key: string, choice: Choice): void {
    this.byClass.set(key, choice);
  }

  /** Keeps everything; what other processes kept meanwhile for this adapter stays, unless it was measured here too. */
  async save(): Promise<void> {
    if (!this.store) return;
    const file = await readFile(this.store);
    const before = file.adapters[this.adapter];
    const generator = this.generator();
    const choices = {
      ...(before?.generator === generator && before.choices),
      ...Object.fromEntries(this.byClass),
    };
    const adapters = { ...file.adapters, [this.adapter]: { generator, choices } };
    await this.store.write(`${JSON.stringify({ format: 1, adapters } satisfies File, null, 1)}\n`);
  }
}

const empty: File = { format: 1, adapters: {} };

async function readFile(store: TuneStore | undefined): Promise<File> {
  if (!store) return empty;
  try {
    const text = await store.read();
    if (text === undefined) return empty;
    const file: unknown = JSON.parse(text);
    if (isFile(file)) return file;
    throw new Error("it is no list of tuned kernels in a format that this version knows");
  } catch (error) {
    console.warn(
      `dawnstrap: the tuning results in ${store.place} are ignored: ${(error as Error).message} (delete them, or tune again)`,
    );
    return empty;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isChoice = (value: unknown): boolean =>
  isObject(value) &&
  isObject(value["variant"]) &&
  typeof value["variant"]["style"] === "string" &&
  Number.isFinite(value["defaultMs"]) &&
  Number.isFinite(value["ms"]);

const isFile = (value: unknown): value is File =>
  isObject(value) &&
  value["format"] === 1 &&
  isObject(value["adapters"]) &&
  Object.values(value["adapters"]).every(
    (section) =>
      isObject(section) &&
      typeof section["generator"] === "string" &&
      isObject(section["choices"]) &&
      Object.values(section["choices"]).every(isChoice),
  );
