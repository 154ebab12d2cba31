/**
 * TensorBoard event files: TFRecords of protocol-buffer `Event` messages, a scalar per number.
 *
 * A record is its length (uint64), a masked CRC-32C of that, the message, and a masked CRC-32C of the message, all little
 * endian. No maintained package writes them; the checksum is crc-32's.
 */
import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { writeAllSync } from "@dawnstrap/tensor/node";
import crc32c from "crc-32/crc32c.js";
import { OutputError } from "../../errors.js";
import type { StepMetrics } from "../../metrics.js";
import { EVENTS } from "../run/files.js";

/** Where each number of a step stands in TensorBoard: its group, then its name. */
const tags: Partial<Record<keyof StepMetrics, string>> = {
  loss: "train/loss",
  grad_norm: "train/grad_norm",
  lr: "schedule/lr",
  tau: "schedule/tau",
  std: "collapse/std",
  effective_rank: "collapse/effective_rank",
  target_distance: "collapse/target_distance",
  probe_loss: "probe/loss",
  probe_accuracy: "probe/accuracy",
  knn_accuracy: "probe/knn_accuracy",
  images_per_second: "speed/images_per_second",
};

/** Wire types of protocol buffers. */
const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}
const key = (field: number, type: number): Buffer => varint((field << 3) | type);
const whole = (field: number, value: number): Buffer =>
  Buffer.concat([key(field, wire.varint), varint(value)]);
const bytes = (field: number, value: Buffer): Buffer =>
  Buffer.concat([key(field, wire.bytes), varint(value.length), value]);
const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value));
function float(field: number, value: number): Buffer {
  const four = Buffer.alloc(4);
  four.writeFloatLE(value);
  return Buffer.concat([key(field, wire.fixed32), four]);
}
function double(field: number, value: number): Buffer {
  const eight = Buffer.alloc(8);
  eight.writeDoubleLE(value);
  return Buffer.concat([key(field, wire.fixed64), eight]);
}

/** Event: 1 wall_time, 2 step, 3 file_version, 5 summary, 7 session_log. */
const event = (seconds: number, step: number, what: Buffer): Buffer =>
  Buffer.concat([double(1, seconds), whole(2, step), what]);
/** Summary: repeated 1 value. Value: 1 tag, 2 simple_value. */
const scalar = (tag: string, value: number): Buffer =>
  bytes(1, Buffer.concat([text(1, tag), float(2, value)]));
/** SessionLog: 1 status, START. Points of a former session from this step on are dropped. */
const sessionStart = bytes(7, whole(1, 1));

/** The rotation and the constant that TFRecords mask their checksums with. */
function masked(data: Buffer): Buffer {
  const crc = crc32c.buf(data) >>> 0;
  const out = Buffer.alloc(4);
  out.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
  return out;
}

function record(message: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(message.length));
  return Buffer.concat([length, masked(length), message, masked(message)]);
}

/** Files that this process has written: their names must differ within a second too. */
let files = 0;

export class TensorBoardFile {
  readonly path: string;
  private readonly file: number;
  private started = false;

  /**
   * A new file in `folder`; TensorBoard reads all files of a folder as one run.
   *
   * @param now seconds since 1970
   */
  constructor(
    folder: string,
    private readonly now: () => number = () => Date.now() / 1000,
  ) {
    const name = `${EVENTS}${Math.floor(now())}.${hostname()}.${process.pid}.${files++}`;
    this.path = join(folder, name);
    this.file = this.writing(() => openSync(this.path, "w"));
    this.write(Buffer.concat([double(1, now()), text(3, "brain.Event:2")]));
  }

  append(metrics: StepMetrics): void {
    const { step } = metrics;
    if (!this.started && step > 0) this.write(event(this.now(), step, sessionStart));
    this.started = true;
    const values = Object.entries(tags).flatMap(([name, tag]) => {
      const value = metrics[name as keyof StepMetrics];
      return typeof value === "number" ? [scalar(tag, value)] : [];
    });
    this.write(event(this.now(), step, bytes(5, Buffer.concat(values))));
  }

  close(): void {
    closeSync(this.file);
  }

  private write(message: Buffer): void {
    this.writing(() => writeAllSync(this.file, record(message)));
  }

  private writing<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      throw new OutputError(`tensorboard: cannot write ${this.path}: ${(error as Error).message}`);
    }
  }
}
