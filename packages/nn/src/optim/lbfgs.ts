/** Limited-memory BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5) for smooth convex functions of a flat array. */

export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** f and ∇f at x; on a device the answer takes its time. */
export type Objective = (x: Float64Array) => Evaluation | Promise<Evaluation>;

export interface LbfgsOptions {
  /** Iterations at most. Default 200. */
  readonly iterations?: number;
  /** Stops where no component of the gradient is larger. Default 1e-4. */
  readonly tolerance?: number;
  /** Pairs of (step, change of gradient) that make the curvature. Default 10. */
  readonly memory?: number;
}

export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Whether the gradient's greatest component fell below the tolerance. */
  readonly converged: boolean;
}

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

/**
 * Minimises f from `start` along quasi-Newton directions, halving steps until they descend enough (Armijo, 1e-4).
 * Equal inputs give equal results. Where f is computed in float32 the search ends when rounding hides all descent.
 */
export async function lbfgs(
  objective: Objective,
  start: Float64Array,
  { iterations = 200, tolerance = 1e-4, memory = 10 }: LbfgsOptions = {},
): Promise<Minimum> {
  let x: Float64Array = Float64Array.from(start);
  let { value, gradient }: Evaluation = await objective(x);
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
    const at = (length: number): Float64Array => x.map((v, i) => v + length * d[i]!);
    let nextX = at(step);
    let next = await objective(nextX);
    for (let tries = 1; tries < 40 && !(next.value <= value + 1e-4 * step * slope); tries++) {
      step /= 2;
      nextX = at(step);
      next = await objective(nextX);
    }
    if (!(next.value < value)) break;
    const s = nextX.map((v, i) => v - x[i]!);
    const y = next.gradient.map((g, i) => g - gradient[i]!);
    const curvature = dot(s, y);
    if (curvature > 1e-12) pairs.push({ s, y, rho: 1 / curvature });
    if (pairs.length > memory) pairs.shift();
    x = nextX;
    ({ value, gradient } = next);
    done++;
  }
  return { at: x, value, iterations: done, converged: largest(gradient) <= tolerance };
}
