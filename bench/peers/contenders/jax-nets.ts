/** The cases of jax-js that need networks and optimisers. */
import type * as Jax from "@jax-js/jax";
import type { Parameter } from "../networks.js";
import { type JaxArray, leafOf, type Stepper } from "./jax-cases.js";
import { larsNumbers, looked } from "./optimizer-numbers.js";

type J = typeof Jax;

/** Parameters are a list, in the order of the network; a step maps [w, m, target] and g to new ones. */
export function larsEma(jax: J, parameters: readonly Parameter[]): Stepper {
  const { numpy: np } = jax;
  const { momentum, weightDecay, eta, lr, tau } = larsNumbers;
  const leaf = leafOf(jax);
  const g = parameters.map(({ name, shape }) => leaf(`g/${name}`, shape));
  let state = parameters.map(({ name, shape }) => [
    leaf(`w/${name}`, shape),
    np.zeros([...shape]),
    leaf(`target/${name}`, shape),
  ]);

  const norm = (x: JaxArray): JaxArray => np.sqrt(np.square(x).sum());
  const one = ([w, m, target]: JaxArray[], g: JaxArray, adapt: boolean): JaxArray[] => {
    let u = g;
    if (adapt) {
      u = u.add(w!.ref.mul(weightDecay));
      const [wn, un] = [norm(w!.ref), norm(u.ref)];
      const usable = wn.ref.greater(0).mul(un.ref.greater(0));
      u = u.mul(np.where(usable, wn.mul(eta).div(un), 1));
    }
    const m1 = m!.mul(momentum).add(u);
    const w1 = w!.sub(m1.ref.mul(lr));
    const target1 = target!.ref.add(w1.ref.sub(target!).mul(1 - tau));
    return [w1, m1, target1];
  };
  const update = jax.jit((state: JaxArray[][], g: JaxArray[]) =>
    state.map((entry, i) => one(entry, g[i]!, parameters[i]!.shape.length > 1)),
  );
  return {
    step() {
      state = update(
        state,
        g.map((x) => x.ref),
      ) as JaxArray[][];
      // What the caller waits for and disposes of.
      return state.map(([w]) => w!.ref);
    },
    outputs: () =>
      (["w", "target"] as const).flatMap((stream, k) =>
        looked.map((name) => {
          const i = parameters.findIndex((p) => p.name === name);
          return { name: `${stream}/${name}`, of: state[i]![2 * k]!.ref };
        }),
      ),
    release() {
      for (const x of [...g, ...state.flat()]) x.dispose();
      update.dispose();
    },
  };
}
