/**
 * `capture`: a function of tensors, recorded once and replayed.
 *
 * The first call (per shapes and dtypes of the arguments) runs the function on stand-ins for the arguments, builds and
 * prepares the program, and runs it; every later call writes the arguments and runs the very same program, so that
 * a replay equals the recorded run bit for bit. Nothing is allocated, compiled or bound in between.
 */
import { DawnstrapError, StateError } from "../errors.js";
import type { NdArray } from "../op.js";
import { numel } from "../shape.js";
import { storageBytes } from "../dtype.js";
import { Tensor } from "../tensor.js";
import { pendingNodes, storageOf } from "../graph/build.js";
import type { Device } from "../device.js";
import { interpret } from "./interpret.js";
import type { Node, NodeOutput } from "../graph/node.js";
import { place, upload } from "./run.js";
import { dropHold, Storage, writing } from "./storage.js";
import { withHistory } from "../graph/trace.js";
import type { Variable } from "../variable.js";

export type CapturedFunction<A extends readonly Tensor[], R> = ((...args: A) => Promise<R>) & {
  /** Frees the programs' memory. */
  release(): void;
};

interface Program {
  readonly inputs: readonly Storage[];
  readonly outputs: readonly Storage[];
  readonly shapes: readonly (readonly number[])[];
  /** Variables whose storage is baked into the program. */
  readonly variables: readonly Variable[];
  readonly assigned: readonly Variable[];
  /** The function returned an array (or nothing) rather than one tensor. */
  readonly many: boolean;
  run(): void;
  release(): void;
}

const WRITER = "a later call of the captured function";

export function captured<A extends readonly Tensor[], R>(
  device: Device,
  fn: (...args: A) => R,
): CapturedFunction<A, R> {
  const programs = new Map<string, Program>();
  let last: Promise<unknown> = Promise.resolve();
  let building = 0;

  const call = async (...args: A): Promise<R> => {
    device.check();
    for (const [i, t] of args.entries())
      if (t.device !== device)
        throw new StateError(
          `capture: argument ${i} lives on another device (${t.device.kind}) than the captured function (${device.kind}); move it: device.tensor(await x.data(), x.shape)`,
        );
    const key = args.map((t) => `${t.dtype}[${t.shape}]`).join();
    const known = programs.get(key);
    // Recording is asynchronous (kernels are compiled); calls made meanwhile wait for it, later ones do not wait at all.
    if (known && building === 0) return replay(device, known, args) as Promise<R>;
    building++;
    const turn = last.then(async () => {
      try {
        let program = programs.get(key);
        if (!program) {
          program = await record(device, fn as (...a: readonly Tensor[]) => unknown, args);
          programs.set(key, program);
        }
        return await replay(device, program, args);
      } finally {
        building--;
      }
    });
    last = turn.catch(() => {});
    return turn as Promise<R>;
  };
  return Object.assign(call, {
    release() {
      const old = [...programs.values()];
      programs.clear();
      void device.queue.enqueue(() => old.forEach((program) => program.release()));
    },
  });
}

/** Writes the arguments, runs, and returns fresh handles on the outputs. */
async function replay(device: Device, program: Program, args: readonly Tensor[]): Promise<unknown> {
  const moved = program.variables.filter((v) => v.pending.node.storages[0] !== v.storage);
  if (moved.length) await device.flush();
  if (args.some((t) => !t.node.realized && !t.node.host)) await device.realize(args);
  const feed = args.map((tensor, i) => feeder(device, tensor, program.inputs[i]!));
  const written = [...program.outputs, ...program.assigned.map((v) => v.storage!)];
  const done = device.queue.enqueue(() =>
    writing(written, () => {
      for (const write of feed) write();
      program.run();
    }),
  );
  for (const input of program.inputs) input.version++;
  for (const variable of program.assigned) variable.storage!.version++;
  const outputs = program.outputs.map((storage, i) => {
    storage.version++;
    return device.leafOf(storage, program.shapes[i]!);
  });
  await done;
  return program.many ? outputs : outputs[0];
}

/** How an argument gets into the program's input: host data directly, device data by a copy. */
function feeder(device: Device, tensor: Tensor, input: Storage): () => void {
  const { host } = tensor.node;
  if (device.backend) {
    const { backend } = device;
    if (host) return () => backend.write(input.memory!, input.byteOffset, host);
    const from = storageOf({ node: tensor.node, output: tensor.output });
    const bytes = Math.ceil((input.numel * storageBytes[input.dtype]) / 4) * 4;
    return () => backend.copy(from.memory!, from.byteOffset, input.memory!, input.byteOffset, bytes);
  }
  const array: NdArray = host
    ? { dtype: tensor.dtype, shape: tensor.shape, data: Float64Array.from(host) }
    : storageOf({ node: tensor.node, output: tensor.output }).array!;
  return () => {
    input.array = array;
  };
}

async function record(
  device: Device,
  fn: (...args: readonly Tensor[]) => unknown,
  args: readonly Tensor[],
): Promise<Program> {
  await device.flush();
  // What lies idle seldom fits a program's arenas, and would stay beside them for as long as the program lives.
  device.pool?.trim();
  const inputs: Storage[] = [];
  try {
    for (const t of args) inputs.push(device.newStorage(t.dtype, numel(t.shape), WRITER));
    return await recordOn(device, fn, args, inputs);
  } catch (error) {
    for (const { memory } of inputs) if (memory) device.pool!.release(memory);
    throw error;
  }
}

async function recordOn(
  device: Device,
  fn: (...args: readonly Tensor[]) => unknown,
  args: readonly Tensor[],
  inputs: readonly Storage[],
): Promise<Program> {
  const stand = args.map((t, i) => device.leafOf(inputs[i]!, t.shape));
  const { result, trace } = device.traced(() => withHistory(() => fn(...stand)));
  if (result instanceof Promise)
    throw new StateError(
      "capture: the function is asynchronous; record synchronously and read the results after the call",
    );
  const many = !(result instanceof Tensor);
  const list =
    result === undefined ? [] : result instanceof Tensor ? [result] : (result as readonly unknown[]);
  if (!Array.isArray(list) || !list.every((t) => t instanceof Tensor))
    throw new DawnstrapError("capture: the function must return a tensor, an array of tensors, or nothing");
  const results = (list as Tensor[]).map((t): NodeOutput => ({ node: t.node, output: t.output }));
  const assigned = [...trace.assigned.keys()];
  const values = [...trace.assigned.values()].map(({ node, output }): NodeOutput => ({ node, output }));
  const shapes = (list as Tensor[]).map((t) => t.shape);
  const variables = [...new Set([...trace.read, ...assigned])];
  const targets = [...results, ...values];
  const shared = { inputs, shapes, variables, assigned, many };
  const program = device.backend
    ? await compiled(device, inputs, results, assigned, values)
    : interpreted(device, targets, results, assigned, values);
  return { ...shared, ...program };
}

type Core = Pick<Program, "outputs" | "run" | "release">;

async function compiled(
  device: Device,
  inputs: readonly Storage[],
  results: readonly NodeOutput[],
  assigned: readonly Variable[],
  values: readonly NodeOutput[],
): Promise<Core> {
  const backend = device.backend!;
  const pool = device.pool!;
  const placed = place(
    device,
    results,
    assigned.map((variable, i) => ({ variable, value: values[i]! })),
    WRITER,
  );
  // Constants that the function closed over stay alive with the program.
  const held = [...placed.build.externals.values()];
  for (const { lease } of held) if (lease) lease.holders++;
  device.arenaBytes += placed.arenaBytes;
  const giveBack = (): void => {
    for (const storage of placed.results) storage.released = true;
    for (const storage of [...held, ...placed.results]) dropHold(storage, pool);
    for (const memory of [...placed.arenas, ...placed.ownMemory]) pool.release(memory);
    device.arenaBytes -= placed.arenaBytes;
  };
  try {
    const ready = device.queue.enqueue(() => backend.prepare(placed.calls));
    const [, prepared] = await Promise.all([placed.uploaded, ready]);
    return {
      outputs: placed.results,
      run: () => prepared.run(),
      release: () => {
        prepared.release();
        giveBack();
        for (const { memory } of inputs) pool.release(memory!);
      },
    };
  } catch (error) {
    giveBack();
    throw error;
  }
}

function interpreted(
  device: Device,
  targets: readonly NodeOutput[],
  results: readonly NodeOutput[],
  assigned: readonly Variable[],
  values: readonly NodeOutput[],
): Core {
  void upload(device, targets);
  const nodes: Node[] = pendingNodes(targets);
  const outputs = results.map(
    ({ node, output }) =>
      new Storage(
        node.outputs[output]!.dtype,
        numel(node.outputs[output]!.shape),
        undefined,
        0,
        undefined,
        WRITER,
      ),
  );
  // What the graph reads: places whose value changes with every step, and constants, kept whatever becomes of their handles.
  const leaves = new Map<Node, readonly { array?: NdArray }[]>();
  const keep = (leaf: Node): void => {
    if (leaf.realized)
      leaves.set(
        leaf,
        leaf.storages.map((s) => (s!.writer ? s! : { array: s!.array })),
      );
  };
  for (const node of nodes) for (const input of node.inputs) keep(input.node);
  for (const { node } of targets) keep(node);
  const leafOf = (at: NodeOutput): NdArray => leaves.get(at.node)![at.output]!.array!;
  return {
    outputs,
    run: () => {
      const arrays = interpret(nodes, leafOf);
      const arrayOf = (at: NodeOutput): NdArray => arrays.get(at.node)?.[at.output] ?? leafOf(at);
      const next = values.map(arrayOf);
      results.forEach((at, i) => (outputs[i]!.array = arrayOf(at)));
      assigned.forEach((v, i) => (device.storageFor(v).array = next[i]));
    },
    release: () => {},
  };
}
