/** Variables on the device ↔ arrays on the host. */
import { assignVariable, type HostTensor, readVariable, type StateDict, stored } from "@dawnstrap/nn";
import type { Variable } from "@dawnstrap/tensor";
import { DataError } from "../../../errors.js";

/** Reads all variables, as they are after the last step. */
export async function readState(variables: ReadonlyMap<string, Variable>): Promise<StateDict> {
  const entries = [...variables].map(
    async ([name, variable]) => [name, await readVariable(variable)] as const,
  );
  return new Map(await Promise.all(entries));
}

/** Gives every variable its saved value. Throws DataError naming the first that does not fit; nothing is changed then. */
export function loadState(variables: ReadonlyMap<string, Variable>, state: StateDict): void {
  const show = ({ dtype, shape }: Pick<HostTensor, "shape"> & { dtype: string }) =>
    `${dtype} [${shape.join(", ")}]`;
  for (const [name, variable] of variables) {
    const saved = state.get(name);
    if (!saved) throw new DataError(`checkpoint: it lacks ${name}, which the network has`);
    const wanted = show({ dtype: stored(variable.dtype), shape: variable.shape });
    if (show(saved) !== wanted)
      throw new DataError(`checkpoint: ${name} is ${show(saved)}, the network has ${wanted}`);
  }
  for (const name of state.keys())
    if (!variables.has(name)) throw new DataError(`checkpoint: it has ${name}, which the network lacks`);
  for (const [name, variable] of variables) assignVariable(variable, state.get(name)!);
}
