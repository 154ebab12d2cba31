/** Binding: every buffer of a built program gets its place in device memory. */
import { DeviceError } from "../errors.js";
import { storageBytes } from "../dtype.js";
import type { Build } from "./build.js";
import { wholeOf } from "./lowering.js";
import { bytesOf, planArenas } from "./plan.js";
import type { Pool } from "./pool.js";
import type { BoundCall, Buf, DeviceLimits, Memory } from "../program.js";
import { MemoryStorage, refuseTooLarge } from "./storage.js";

export interface Placed {
  readonly calls: readonly BoundCall[];
  /** Memory that only this program's temporaries use. */
  readonly arenas: readonly Memory[];
  readonly arenaBytes: number;
  /** Storage of each result, in the order of the request. */
  readonly results: readonly MemoryStorage[];
  /** Memory of results that nobody else counts the holders of: with a `writer`, it is the program's own. */
  readonly ownMemory: readonly Memory[];
}

/** Allocates arenas and result storages and resolves every binding. `writer` names who overwrites the results later. */
export function bindCalls(
  build: Build,
  limits: DeviceLimits,
  pool: Pool,
  writer: string | undefined,
): Placed {
  for (const { spec, bindings } of build.calls) {
    for (const { buf } of bindings) refuseTooLarge(buf.dtype, buf.numel, limits);
    if (bindings.length > limits.buffersPerKernel)
      throw new DeviceError(
        `a ${spec.family} kernel touches ${bindings.length} tensors, more than this device binds at once (${limits.buffersPerKernel}); compute some of them in a flush before`,
      );
  }
  const taken: Memory[] = [];
  try {
    return place(build, limits, writer, (bytes) => {
      const memory = pool.allocate(bytes);
      taken.push(memory);
      return memory;
    });
  } catch (error) {
    for (const memory of taken) pool.release(memory);
    throw error;
  }
}

function place(
  build: Build,
  limits: DeviceLimits,
  writer: string | undefined,
  allocate: (bytes: number) => Memory,
): Placed {
  const owned = new Map<Buf, MemoryStorage>();
  const results = build.results.map((buf) => {
    const whole = wholeOf(buf);
    let base = owned.get(whole) ?? build.externals.get(whole);
    if (!base) {
      const lease = writer ? undefined : { holders: 0 };
      base = new MemoryStorage(whole.dtype, whole.numel, allocate(bytesOf(whole)), 0, lease, writer);
      owned.set(whole, base);
    }
    if (base.lease) base.lease.holders++;
    const { memory, lease } = base;
    return new MemoryStorage(
      buf.dtype,
      buf.numel,
      memory,
      base.byteOffset + buf.byteOffset,
      lease,
      base.writer ?? writer,
    );
  });
  const plan = planArenas(build.calls, (b) => !build.externals.has(b) && !owned.has(b), limits);
  const arenas = plan.arenas.map(allocate);
  const calls = build.calls.map((call) => ({
    key: call.key,
    spec: call.spec,
    bindings: call.bindings.map(({ buf, access }) => {
      const whole = wholeOf(buf);
      const storage = build.externals.get(whole) ?? owned.get(whole);
      const place = plan.places.get(whole);
      const memory = storage ? storage.memory : arenas[place!.arena]!;
      const base = storage ? storage.byteOffset : place!.byteOffset;
      return {
        memory,
        byteOffset: base + buf.byteOffset,
        bytes: Math.ceil((buf.numel * storageBytes[buf.dtype]) / 4) * 4,
        dtype: buf.dtype,
        access,
      };
    }),
  }));
  const ownMemory = writer ? [...owned.values()].map((s) => s.memory) : [];
  return { calls, arenas, arenaBytes: plan.arenas.reduce((n, b) => n + b, 0), results, ownMemory };
}
