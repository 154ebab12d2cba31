/**
 * The quantile function of the normal distribution as a table, so that devices turn random words into normals by
 * integer arithmetic alone and agree in every bit.
 *
 * The tail probability p = (r + ½) / 2³², r < 2³¹, is cut into octaves [2⁻¹⁻ᵉ, 2⁻ᵉ) / 2, e = 0 … 31, and each octave
 * into 64 segments. Within a segment, at fraction f, z = start − fall·f − bend·f(1 − f). Numbers are in units of 2⁻²¹;
 * fall and bend share a word. What comes out is off by less than two units (10⁻⁶), as a test shows.
 */
export const SEGMENTS_PER_OCTAVE = 64;
const OCTAVES = 32;
const SEGMENTS = OCTAVES * SEGMENTS_PER_OCTAVE;

/** eˣ for x ≤ 0 by additions and multiplications only, which every JavaScript engine rounds alike. */
function exp(x: number): number {
  const y = x / 256;
  let [term, sum] = [1, 1];
  for (let k = 1; k < 14; k++) {
    term *= y / k;
    sum += term;
  }
  for (let k = 0; k < 8; k++) sum *= sum;
  return sum;
}

const density = (z: number): number => exp((-z * z) / 2) / 2.5066282746310002;

/** P(Z > z) for z ≥ 0: a series about 0, a continued fraction in the tail. */
export function upperTail(z: number): number {
  if (z < 3) {
    let [term, sum] = [z, z];
    for (let k = 1; term > sum * 1e-17; k++) {
      term *= (z * z) / (2 * k + 1);
      sum += term;
    }
    return 0.5 - density(z) * sum;
  }
  let fraction = z;
  for (let k = 200; k > 0; k--) fraction = z + k / fraction;
  return density(z) / fraction;
}

/** The z with P(Z > z) = p, by Newton's method from a start to its left (the tail is convex: it never overshoots). */
function quantile(p: number, start: number): number {
  let z = start;
  for (let k = 0; k < 50; k++) {
    const step = (upperTail(z) - p) / density(z);
    z += step;
    if (Math.abs(step) < 1e-13) break;
  }
  return z;
}

let table: Uint32Array | undefined;

/** Starts of the segments, followed by their slopes (bend · 2¹⁶ + fall). Computed at the first call. */
export function normalTable(): Uint32Array {
  if (table) return table;
  const made = new Uint32Array(2 * SEGMENTS);
  const unit = 2 ** 21;
  // From p = ½ outwards, so that each quantile starts from its neighbour.
  let end = 0;
  for (let octave = 0; octave < OCTAVES; octave++)
    for (let s = SEGMENTS_PER_OCTAVE - 1; s >= 0; s--) {
      const size = 2 ** -(octave + 2);
      const at = (f: number): number => size * (1 + (s + f) / SEGMENTS_PER_OCTAVE);
      const middle = quantile(at(0.5), end);
      const start = quantile(at(0), middle);
      const segment = octave * SEGMENTS_PER_OCTAVE + s;
      // The chord joins rounded ends: neighbours meet without a step.
      const [from, to] = [Math.round(start * unit), Math.round(end * unit)];
      made[segment] = from;
      made[SEGMENTS + segment] =
        (Math.max(0, Math.round(4 * ((from + to) / 2 - middle * unit))) << 16) | (from - to);
      end = start;
    }
  table = made;
  return made;
}
