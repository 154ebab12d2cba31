/**
 * `capture`: a function of tensors, recorded once and replayed.
 *
 * The first call (per shapes and dtypes of the arguments) runs the function on stand-ins for the arguments, builds and
 * prepares the program, and runs it; every later call writes the arguments and runs the very same program, so that
 * a replay equals the recorded run bit for bit. Nothing is allocated, compiled or bound in between.
 */
import { DawnstrapError, StateError } from "../errors.js";
import type { NodeOutput } from "../graph/node.js";
import { type Storage, writing } from "../graph/storage.js";
import { numel } from "../shape.js";
import { type CapturedFunction, Tensor, type Variable } from "../tensor.js";
import type { Program, Session } from "./executor.js";
import { withHistory } from "./trace.js";

/** A program with what a call of it writes and returns. */
interface Captured {
  readonly program: Program;
  readonly inputs: readonly Storage[];
  /** Of the results. */
  readonly shapes: readonly (readonly number[])[];
  /** Variables whose storage is baked into the program. */
  readonly variables: readonly Variable[];
  readonly assigned: readonly Variable[];
  /** The function returned an array (or nothing) rather than one tensor. */
  readonly many: boolean;
}

const WRITER = "a later call of the captured function";

export function captured<A extends readonly Tensor[], R>(
  device: Session,
  fn: (...args: A) => R,
): CapturedFunction<A, R> {
  const programs = new Map<string, Captured>();
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
      void device.queue.enqueue(() => old.forEach(({ program }) => program.release()));
    },
  });
}

/** Writes the arguments, runs, and returns fresh handles on the outputs. */
async function replay(
  device: Session,
  { program, inputs, shapes, variables, assigned, many }: Captured,
  args: readonly Tensor[],
): Promise<unknown> {
  const moved = variables.filter((v) => v.pending.node.storages[0] !== v.storage);
  if (moved.length) await device.flush();
  if (args.some((t) => !t.node.realized && !t.node.host)) await device.realize(args);
  const feed = args.map((tensor, i) => device.executor.feed(tensor, inputs[i]!));
  const written = [...program.outputs, ...assigned.map((v) => v.storage!)];
  const done = device.queue.enqueue(() =>
    writing(written, () => {
      for (const write of feed) write();
      program.run();
    }),
  );
  for (const input of inputs) input.version++;
  for (const variable of assigned) variable.storage!.version++;
  const outputs = program.outputs.map((storage, i) => {
    storage.version++;
    return device.leafOf(storage, shapes[i]!);
  });
  await done;
  return many ? outputs : outputs[0];
}

async function record(
  device: Session,
  fn: (...args: readonly Tensor[]) => unknown,
  args: readonly Tensor[],
): Promise<Captured> {
  await device.flush();
  // What lies idle seldom fits a program's arenas, and would stay beside them for as long as the program lives.
  device.executor.trim();
  const inputs: Storage[] = [];
  try {
    for (const t of args) inputs.push(device.executor.newStorage(t.dtype, numel(t.shape), WRITER));
    return await recordOn(device, fn, args, inputs);
  } catch (error) {
    device.executor.discard(inputs);
    throw error;
  }
}

async function recordOn(
  device: Session,
  fn: (...args: readonly Tensor[]) => unknown,
  args: readonly Tensor[],
  inputs: readonly Storage[],
): Promise<Captured> {
  const stand = args.map((t, i) => device.leafOf(inputs[i]!, t.shape));
  const { result, trace } = device.traced(() => withHistory(() => fn(...stand)));
  const list = returned(result);
  const assigned = [...trace.assigned].map(([variable, value]) => ({ variable, value: outputOf(value) }));
  const recording = { inputs, results: list.map(outputOf), assigned };
  const program = await device.executor.program(recording, WRITER);
  return {
    program,
    inputs,
    shapes: list.map((t) => t.shape),
    variables: [...new Set([...trace.read, ...trace.assigned.keys()])],
    assigned: [...trace.assigned.keys()],
    many: !(result instanceof Tensor),
  };
}

/** The tensors that a captured function returned. */
function returned(result: unknown): readonly Tensor[] {
  if (result instanceof Promise)
    throw new StateError(
      "capture: the function is asynchronous; record synchronously and read the results after the call",
    );
  if (result === undefined) return [];
  const list = result instanceof Tensor ? [result] : result;
  if (!Array.isArray(list) || !list.every((t) => t instanceof Tensor))
    throw new DawnstrapError("capture: the function must return a tensor, an array of tensors, or nothing");
  return list;
}

const outputOf = ({ node, output }: Tensor): NodeOutput => ({ node, output });
