/** Computing what was recorded: uploads, one program, results and variables. */
import type { NdArray } from "../op.js";
import { numel } from "../shape.js";
import { bindCalls, type Placed } from "../graph/bind.js";
import { type Build, buildProgram, pendingNodes, storageOf } from "../graph/build.js";
import type { Device } from "../device.js";
import { interpret } from "./interpret.js";
import type { NodeOutput } from "../graph/node.js";
import { refuseTooLarge, Storage, writing } from "./storage.js";
import type { Variable } from "../variable.js";

export interface Assignment {
  readonly variable: Variable;
  readonly value: NodeOutput;
}

/** A program that has its memory; its kernels are not compiled yet. */
export interface Ready extends Placed {
  readonly build: Build;
  /** Variables that the program writes. */
  readonly targets: readonly (Assignment & { readonly storage: Storage })[];
  readonly uploaded: Promise<void>;
}

/** Uploads what a program reads, builds it, and gives it memory. `writer` as in `bindCalls`. */
export function place(
  device: Device,
  results: readonly NodeOutput[],
  assigned: readonly Assignment[],
  writer: string | undefined,
): Ready {
  const { limits } = device.backend!;
  const uploaded = upload(device, [...results, ...assigned.map((a) => a.value)]);
  const targets = assigned
    .map((a) => ({ ...a, storage: device.storageFor(a.variable) }))
    .filter((a) => a.value.node.storages[0] !== a.storage);
  const build = buildProgram({ kind: device.kind as "webgpu" | "cpu", limits, results, assigned: targets });
  return { ...bindCalls(build, limits, device.pool!, writer), build, targets, uploaded };
}

/**
 * Gives the host leaves that the outputs depend on their storage, and enqueues the writes. They are done whether or
 * not the rest of the program succeeds: from here on, a leaf is what its storage holds.
 */
export function upload(device: Device, outputs: readonly NodeOutput[]): Promise<void> {
  const { backend } = device;
  const leaves = pendingNodes(outputs).filter((node) => node.host !== undefined);
  if (backend)
    for (const { outputs: of } of leaves) refuseTooLarge(of[0]!.dtype, numel(of[0]!.shape), backend.limits);
  const writes: (() => void)[] = [];
  const written = (): Promise<void> => {
    const done = device.queue.enqueue(() => writes.forEach((write) => write()));
    // Whoever awaits it sees the error; nobody may, when the program is refused.
    done.catch(() => {});
    return done;
  };
  try {
    for (const node of leaves) {
      const host = node.host!;
      const { dtype, shape } = node.outputs[0]!;
      const storage = device.newStorage(dtype, numel(shape));
      if (backend) writes.push(() => backend.write(storage.memory!, storage.byteOffset, host));
      else storage.array = { dtype, shape, data: Float64Array.from(host) };
      node.settle(0, storage);
      node.host = undefined;
      device.results.track(storage, node);
    }
  } catch (error) {
    void written();
    throw error;
  }
  return written();
}

/** Computes results and assigned variables in one program. */
export async function runCompiled(
  device: Device,
  results: readonly NodeOutput[],
  assigned: readonly Assignment[],
  onProgress?: (done: number, total: number) => void,
): Promise<void> {
  const ready = place(device, results, assigned, undefined);
  results.forEach((at, i) => {
    const storage = ready.results[i]!;
    at.node.settle(at.output, storage);
    device.results.track(storage, at.node);
  });
  for (const node of new Set(results.map((r) => r.node))) node.inputs = [];
  for (const { variable, storage } of ready.targets) {
    storage.version++;
    variable.settle(device.leafOf(storage, variable.shape));
  }
  const written = [...ready.results, ...ready.targets.map((t) => t.storage)];
  const ran = device.queue.enqueue(async () => {
    try {
      const program = await device.backend!.prepare(ready.calls, onProgress);
      try {
        writing(written, () => program.run());
      } finally {
        program.release();
      }
    } catch (error) {
      for (const storage of written) storage.failure = error;
      throw error;
    } finally {
      for (const memory of ready.arenas) device.pool!.release(memory);
    }
  });
  await Promise.all([ready.uploaded, ran]);
}

/** As `runCompiled`, on the reference device. */
export function runInterpreted(
  device: Device,
  results: readonly NodeOutput[],
  assigned: readonly Assignment[],
): void {
  const targets = [...results, ...assigned.map((a) => a.value)];
  void upload(device, targets);
  const arrays = interpret(pendingNodes(targets), (at) => storageOf(at).array!);
  const arrayOf = (at: NodeOutput): NdArray => arrays.get(at.node)?.[at.output] ?? storageOf(at).array!;
  const values = assigned.map((a) => arrayOf(a.value));
  for (const at of results) {
    const { dtype, shape } = at.node.outputs[at.output]!;
    const storage = new Storage(dtype, numel(shape), undefined, 0);
    storage.array = arrayOf(at);
    at.node.settle(at.output, storage);
    device.results.track(storage, at.node);
  }
  for (const node of new Set(results.map((r) => r.node))) node.inputs = [];
  assigned.forEach(({ variable }, i) => {
    const storage = device.storageFor(variable);
    storage.array = values[i];
    storage.version++;
    variable.settle(device.leafOf(storage, variable.shape));
  });
}
