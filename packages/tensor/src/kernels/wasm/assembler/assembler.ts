/** An encoder of WebAssembly modules: functions over one imported memory, written instruction by instruction. */
import { op } from "./opcodes.js";

export type ValueType = "i32" | "i64" | "f32" | "v128";
const typeByte: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };
const EMPTY = 0x40;

export function leb(n: number, out: number[] = []): number[] {
  do {
    const byte = n % 128;
    n = Math.floor(n / 128);
    out.push(n ? byte | 0x80 : byte);
  } while (n);
  return out;
}

export function signedLeb(n: number, out: number[] = []): number[] {
  for (;;) {
    const byte = n & 0x7f;
    n >>= 7;
    if ((n === 0 && !(byte & 0x40)) || (n === -1 && byte & 0x40)) {
      out.push(byte);
      return out;
    }
    out.push(byte | 0x80);
  }
}

const scratch = new DataView(new ArrayBuffer(16));

/** A stretch of instructions. Stretches are written apart and appended, so code can be placed before a loop still being written. */
export class Code {
  readonly bytes: number[] = [];

  /** Instructions without immediates. */
  op(...codes: number[]): this {
    for (const code of codes) {
      if (code < 0x100) this.bytes.push(code);
      else {
        this.bytes.push(code >> 16);
        leb(code & 0xffff, this.bytes);
      }
    }
    return this;
  }
  append(other: Code): this {
    for (const b of other.bytes) this.bytes.push(b);
    return this;
  }
  get(local: number): this {
    this.op(op.localGet);
    leb(local, this.bytes);
    return this;
  }
  set(local: number): this {
    this.op(op.localSet);
    leb(local, this.bytes);
    return this;
  }
  tee(local: number): this {
    this.op(op.localTee);
    leb(local, this.bytes);
    return this;
  }
  i32(value: number): this {
    this.op(op.i32Const);
    signedLeb(value | 0, this.bytes);
    return this;
  }
  f32(value: number): this {
    this.op(op.f32Const);
    scratch.setFloat32(0, value, true);
    for (let i = 0; i < 4; i++) this.bytes.push(scratch.getUint8(i));
    return this;
  }
  /** A vector constant from four 32-bit integers. */
  v128(lanes: readonly number[]): this {
    this.op(op.v128Const);
    lanes.forEach((n, i) => {
      scratch.setInt32(i * 4, n, true);
    });
    for (let i = 0; i < 16; i++) this.bytes.push(scratch.getUint8(i));
    return this;
  }
  /** Loads and stores; the alignment hint is 1 byte, which every engine treats as no hint at all. */
  memory(code: number, offset = 0): this {
    this.op(code);
    this.bytes.push(0);
    leb(offset, this.bytes);
    return this;
  }
  /** Loads and stores of one lane. */
  memoryLane(code: number, lane: number, offset = 0): this {
    this.memory(code, offset);
    this.bytes.push(lane);
    return this;
  }
  lane(code: number, lane: number): this {
    this.op(code);
    this.bytes.push(lane);
    return this;
  }
  /** Picks four of the eight 32-bit lanes of the two topmost vectors. */
  shuffle32(lanes: readonly number[]): this {
    return this.shuffle8(lanes.flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]));
  }
  shuffle8(bytes: readonly number[]): this {
    this.op(op.i8x16Shuffle);
    this.bytes.push(...bytes);
    return this;
  }
  block(body: (c: Code) => void): this {
    return this.structured(op.block, body);
  }
  loop(body: (c: Code) => void): this {
    return this.structured(op.loop, body);
  }
  br(depth: number): this {
    this.op(op.br);
    leb(depth, this.bytes);
    return this;
  }
  brIf(depth: number): this {
    this.op(op.brIf);
    leb(depth, this.bytes);
    return this;
  }
  /** Consumes the condition on the stack. */
  if(then: (c: Code) => void, otherwise?: (c: Code) => void): this {
    this.op(op.if);
    this.bytes.push(EMPTY);
    then(this);
    if (otherwise) {
      this.op(op.else);
      otherwise(this);
    }
    return this.op(op.end);
  }
  /** Copies or fills memory: the operands are on the stack. */
  memoryCopy(): this {
    this.op(op.memoryCopy);
    this.bytes.push(0, 0);
    return this;
  }
  memoryFill(): this {
    this.op(op.memoryFill);
    this.bytes.push(0);
    return this;
  }
  private structured(kind: number, body: (c: Code) => void): this {
    this.op(kind);
    this.bytes.push(EMPTY);
    body(this);
    return this.op(op.end);
  }
}

/** A function being written: parameters are its first locals. */
export class Func {
  readonly code = new Code();
  private readonly locals: ValueType[] = [];

  constructor(
    readonly params: readonly ValueType[],
    readonly results: readonly ValueType[] = [],
  ) {}

  local(type: ValueType = "i32"): number {
    return this.params.length + this.locals.push(type) - 1;
  }
  many(n: number, type: ValueType): number[] {
    return Array.from({ length: n }, () => this.local(type));
  }
  /** Integer locals, by name. */
  named<K extends string>(...names: readonly K[]): Readonly<Record<K, number>> {
    return Object.fromEntries(names.map((n) => [n, this.local()])) as Record<K, number>;
  }

  encode(): number[] {
    const runs: [number, ValueType][] = [];
    for (const t of this.locals) {
      const last = runs.at(-1);
      if (last && last[1] === t) last[0]++;
      else runs.push([1, t]);
    }
    const head = leb(runs.length);
    for (const [n, t] of runs) {
      leb(n, head);
      head.push(typeByte[t]);
    }
    return [...leb(head.length + this.code.bytes.length + 1), ...head, ...this.code.bytes, op.end];
  }
}

const name = (s: string): number[] => {
  const bytes = new TextEncoder().encode(s);
  return [...leb(bytes.length), ...bytes];
};
const section = (id: number, items: readonly (readonly number[])[]): number[] => {
  const body = leb(items.length);
  for (const item of items) for (const b of item) body.push(b);
  return [id, ...leb(body.length), ...body];
};

export interface ModuleOptions {
  /** Whether the imported memory (`env.memory`) is shared between threads. */
  readonly shared: boolean;
}

/** A module that imports `env.memory` and exports the given functions. */
export function encodeModule(
  functions: Readonly<Record<string, Func>>,
  options: ModuleOptions,
): Uint8Array<ArrayBuffer> {
  const list = Object.entries(functions);
  const types = list.map(([, f]) => [
    0x60,
    ...leb(f.params.length),
    ...f.params.map((t) => typeByte[t]),
    ...leb(f.results.length),
    ...f.results.map((t) => typeByte[t]),
  ]);
  // A shared memory must be imported with a maximum; 65,536 pages are 4 GiB, more than which 32-bit addresses cannot reach.
  const limits = options.shared ? [0x03, ...leb(0), ...leb(65536)] : [0x00, ...leb(0)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [[...name("env"), ...name("memory"), 0x02, ...limits]]),
    ...section(
      3,
      list.map((_, i) => leb(i)),
    ),
    ...section(
      7,
      list.map(([n], i) => [...name(n), 0x00, ...leb(i)]),
    ),
    ...section(
      10,
      list.map(([, f]) => f.encode()),
    ),
  ]);
}
