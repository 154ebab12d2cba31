/** Limited-memory BFGS (Nocedal & Wright, algorithms 7.4 and 7.5) for smooth convex functions of a flat array. */

export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Whether the gradient's greatest component fell below the tolerance. */
  readonly converged: boolean;
}

/** Value at x; writes the gradient. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const largest = (a: Float64Array): number => a.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

interface Pair {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly rho: number;
}

/** −H·g by the two-loop recursion. */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const d = gradient.map((g) => -g);
  const alphas = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { s, y, rho } = pairs[k]!;
    alphas[k] = rho * dot(s, d);
    for (let i = 0; i < d.length; i++) d[i]! -= alphas[k]! * y[i]!;
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = dot(last.s, last.y) / dot(last.y, last.y);
    for (let i = 0; i < d.length; i++) d[i]! *= scale;
  }
  for (let k = 0; k < pairs.length; k++) {
    const { s, y, rho } = pairs[k]!;
    const beta = rho * dot(y, d);
    for (let i = 0; i < d.length; i++) d[i]! += s[i]! * (alphas[k]! - beta);
  }
  return d;
}

/** Minimises from `start`, halving steps until they descend enough (Armijo, 1e-4). Equal inputs give equal results. */
export function minimise(
  objective: Objective,
  start: Float64Array,
  options: { iterations?: number; tolerance?: number; memory?: number } = {},
): Minimum {
  const { iterations = 200, tolerance = 1e-4, memory = 10 } = options;
  let x = Float64Array.from(start);
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  const pairs: Pair[] = [];
  let done = 0;
  while (done < iterations && largest(gradient) > tolerance) {
    let d = direction(gradient, pairs);
    let slope = dot(d, gradient);
    if (!(slope < 0)) {
      pairs.length = 0;
      d = gradient.map((g) => -g);
      slope = dot(d, gradient);
    }
    // The first direction has no curvature in it yet: begin with a step of unit length at most.
    let step = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    const nextX = new Float64Array(x.length);
    const nextGradient = new Float64Array(x.length);
    let nextValue = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 40; tries++, step /= 2) {
      for (let i = 0; i < x.length; i++) nextX[i] = x[i]! + step * d[i]!;
      nextValue = objective(nextX, nextGradient);
      if (nextValue <= value + 1e-4 * step * slope) break;
    }
    if (!(nextValue < value)) break;
    const s = nextX.map((v, i) => v - x[i]!);
    const y = nextGradient.map((g, i) => g - gradient[i]!);
    const curvature = dot(s, y);
    if (curvature > 1e-12) pairs.push({ s, y, rho: 1 / curvature });
    if (pairs.length > memory) pairs.shift();
    x = nextX;
    gradient = nextGradient;
    value = nextValue;
    done++;
  }
  return { at: x, value, iterations: done, converged: largest(gradient) <= tolerance };
}
