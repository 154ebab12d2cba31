import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { StepMetrics } from "../../metrics.js";
import { TensorBoardFile } from "./tensorboard.js";

/** CRC-32C bit by bit: x³² + … reflected, 0x82f63b78. */
function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
const masked = (data: Uint8Array): number => {
  const crc = BigInt(crc32c(data));
  return Number((((crc >> 15n) | ((crc << 17n) & 0xffffffffn)) + 0xa282ead8n) & 0xffffffffn);
};

type Field = readonly [number: number, value: number | Buffer];
/** A protocol-buffer message as its fields, in order. */
function fields(message: Buffer): Field[] {
  const out: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const head = varint();
    const [field, type] = [head >> 3, head & 7];
    if (type === 0) out.push([field, varint()]);
    else {
      const length = type === 1 ? 8 : type === 5 ? 4 : varint();
      const raw = message.subarray(at, at + length);
      out.push([field, type === 1 ? raw.readDoubleLE() : type === 5 ? raw.readFloatLE() : raw]);
      at += length;
    }
  }
  return out;
}
function records(file: Buffer): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    expect(file.readUInt32LE(at + 8)).toBe(masked(file.subarray(at, at + 8)));
    const message = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 12 + length)).toBe(masked(message));
    out.push(message);
    at += 16 + length;
  }
  return out;
}

it("the checker knows the check value of CRC-32C", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
});

it("writes records that an independent reader takes apart, a scalar per number", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tensorboard-test-"));
  const file = new TensorBoardFile(folder, () => 1_700_000_000.25);
  const metrics: StepMetrics = {
    ...{ step: 300, epoch: 1.5, loss: 3.25, lr: 0.1, tau: 0.99, std: 0.0625, images_per_second: 100 },
    ...{ effective_rank: 12.5, grad_norm: 3.5, alarm: "text is no scalar" },
  };
  // In the same second, and of its own.
  const other = new TensorBoardFile(folder, () => 1_700_000_000.25);
  other.close();
  file.append(metrics);
  file.append({ ...metrics, step: 2 ** 33, loss: -0 });
  file.close();
  expect(file.path).toMatch(/events\.out\.tfevents\.1700000000\./);

  const [version, start, first, second] = records(await readFile(file.path)).map(fields);
  expect(version).toEqual([
    [1, 1_700_000_000.25],
    [3, Buffer.from("brain.Event:2")],
  ]);
  // A run that goes on at step 300 replaces what an earlier session said of steps from 300 on.
  expect(start).toEqual([
    [1, 1_700_000_000.25],
    [2, 300],
    [7, Buffer.from([8, 1])],
  ]);
  const scalars = (event: Field[]) =>
    fields(event[2]![1] as Buffer).map(([, value]) => {
      const [[, tag], [, number]] = fields(value as Buffer) as [Field, Field];
      return [String(tag), number];
    });
  expect(first!.slice(0, 2)).toEqual([
    [1, 1_700_000_000.25],
    [2, 300],
  ]);
  expect(Object.fromEntries(scalars(first!))).toEqual({
    "train/loss": 3.25,
    "train/grad_norm": 3.5,
    "schedule/lr": Math.fround(0.1),
    "schedule/tau": Math.fround(0.99),
    "collapse/std": 0.0625,
    "collapse/effective_rank": 12.5,
    "speed/images_per_second": 100,
  });
  expect(second![1]).toEqual([2, 2 ** 33]);
  await rm(folder, { recursive: true });
});

it("says which file cannot be written", () => {
  expect(() => new TensorBoardFile("/nowhere")).toThrow(/tensorboard: cannot write \/nowhere\/events/);
});
