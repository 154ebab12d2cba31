/**
 * The transforms of Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray 2016, "Fast algorithms for convolutional
 * neural networks", section 4.3): with d a 6×6 piece of an image and g a 3×3 filter, the 4×4 outputs are
 * Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A, 36 products where there were 144.
 *
 * The matrices follow from six points of evaluation (Toom and Cook). With 0, ±2/3, ±3/2, ∞ the errors (root mean
 * square) of the forward pass and the input gradient are 2.6 times those of the direct sum for 16 channels and 1.9 times
 * for 256, those of the weight gradient 2.7 times (3.7 times where the direct sum is split in three), and about half as
 * much for positive inputs; the usual 0, ±1, ±2, ∞ more than double that, because their powers spread more. That the
 * points' product is 1 saves multiplications.
 *
 * All 16 outputs of a tile share the rounding of its largest values. So the errors are below 5e-6 of the greatest output of
 * heavy-tailed inputs too, but the ratios above are not theirs: an output whose own window holds no large value is as far
 * off as its neighbour whose window does, where the direct sum is not.
 */
import type { Code, Func } from "../assembler/assembler.js";
import { op } from "../assembler/opcodes.js";

/** Outputs, filter taps and products along one axis. */
export const OUTPUTS = 4;
export const TAPS = 3;
export const POINTS = OUTPUTS + TAPS - 1;
/** Products of a tile with a filter, for each pair of channels. */
export const PRODUCTS = POINTS * POINTS;
/** Bytes that a transform needs for the values between its two axes. */
export const BETWEEN_BYTES = 16 * POINTS * POINTS;

const [A, B] = [2 / 3, 3 / 2];
/** Products of the differences between ±A (±B) and the other finite points. */
const [NA, NB] = [2 * A * A * (A * A - B * B), 2 * B * B * (B * B - A * A)];

type Term = readonly [local: number, factor: number];

/** A transform along one axis. It returns the locals of its results, which the next transform overwrites. */
type OneAxis = (c: Code, from: readonly number[]) => readonly number[];

export interface Piece {
  /** Values along one axis, of which the transform along it makes `results`. */
  readonly size: number;
  readonly results: number;
  /** Results that are wanted of each axis. Default: all. */
  readonly wanted?: readonly [rows: number, columns: number];
  /** Pushes value (y, x). */
  readonly load: (c: Code, y: number, x: number) => void;
  /** Stores result (y, x). */
  readonly store: (c: Code, y: number, x: number, value: number) => void;
}

export class Transforms {
  private readonly loaded: number[];
  private readonly made: number[];
  private readonly spare: number[];

  /** `between`: a local with the address of BETWEEN_BYTES. */
  constructor(
    f: Func,
    private readonly between: number,
  ) {
    this.loaded = f.many(POINTS, "v128");
    this.made = f.many(POINTS, "v128");
    this.spare = f.many(4, "v128");
  }

  /** Bᵀ d. */
  readonly image: OneAxis = (c, [d0, d1, d2, d3, d4, d5]) => {
    const { made } = this;
    sum(c, made[0]!, [d0!, 1], [d4!, 1], [d2!, -(A * A + B * B)]);
    this.pair(c, 1, [d4!, 1], [d2!, -B * B], [d3!, A], [d1!, -B]);
    this.pair(c, 3, [d4!, 1], [d2!, -A * A], [d3!, B], [d1!, -A]);
    sum(c, made[5]!, [d1!, 1], [d5!, 1], [d3!, -(A * A + B * B)]);
    return made;
  };

  /** G g. */
  readonly filter: OneAxis = (c, [g0, g1, g2]) => {
    const { made } = this;
    sum(c, made[0]!, [g0!, 1]);
    this.pair(c, 1, [g0!, 1 / NA], [g2!, (A * A) / NA], [g1!, A / NA]);
    this.pair(c, 3, [g0!, 1 / NB], [g2!, (B * B) / NB], [g1!, B / NB]);
    sum(c, made[5]!, [g2!, 1]);
    return made;
  };

  /** Aᵀ m. */
  readonly output: OneAxis = (c, [m0, m1, m2, m3, m4, m5]) => {
    const { made } = this;
    const [evenA, oddA, evenB, oddB] = this.halves(c, m1!, m2!, m3!, m4!);
    sum(c, made[0]!, [m0!, 1], [evenA, 1], [evenB, 1]);
    sum(c, made[1]!, [oddA, A], [oddB, B]);
    sum(c, made[2]!, [evenA, A * A], [evenB, B * B]);
    sum(c, made[3]!, [m5!, 1], [oddA, A ** 3], [oddB, B ** 3]);
    return made;
  };

  /** The same points for a filter of four taps (a piece of the output's gradient) and three outputs (the weights'). */
  readonly gradient: OneAxis = (c, [g0, g1, g2, g3]) => {
    const { made } = this;
    sum(c, made[0]!, [g0!, 1]);
    this.pair(c, 1, [g0!, 1 / NA], [g2!, (A * A) / NA], [g1!, A / NA], [g3!, A ** 3 / NA]);
    this.pair(c, 3, [g0!, 1 / NB], [g2!, (B * B) / NB], [g1!, B / NB], [g3!, B ** 3 / NB]);
    sum(c, made[5]!, [g3!, 1]);
    return made;
  };
  readonly weights: OneAxis = (c, [m0, m1, m2, m3, m4, m5]) => {
    const { made } = this;
    const [evenA, oddA, evenB, oddB] = this.halves(c, m1!, m2!, m3!, m4!);
    sum(c, made[0]!, [m0!, 1], [evenA, 1], [evenB, 1]);
    sum(c, made[1]!, [oddA, A], [oddB, B]);
    sum(c, made[2]!, [m5!, 1], [evenA, A * A], [evenB, B * B]);
    return made;
  };

  /** Transforms a piece along both axes. Storing as soon as possible keeps the values of one line in registers. */
  both(c: Code, along: OneAxis, p: Piece): void {
    const [rows, columns] = p.wanted ?? [p.results, p.results];
    const line = this.loaded.slice(0, p.size);
    for (let x = 0; x < p.size; x++) {
      line.forEach((at, y) => {
        p.load(c, y, x);
        c.set(at);
      });
      const made = along(c, line);
      for (let y = 0; y < rows; y++)
        c.get(this.between)
          .get(made[y]!)
          .memory(op.v128Store, 16 * (POINTS * y + x));
    }
    for (let y = 0; y < rows; y++) {
      line.forEach((at, x) => {
        c.get(this.between)
          .memory(op.v128Load, 16 * (POINTS * y + x))
          .set(at);
      });
      along(c, line)
        .slice(0, columns)
        .forEach((value, x) => {
          p.store(c, y, x, value);
        });
    }
  }

  /** Sums and differences of the products at points and at their negatives. */
  private halves(c: Code, m1: number, m2: number, m3: number, m4: number): [number, number, number, number] {
    const spare = this.spare as [number, number, number, number];
    sum(c, spare[0], [m1, 1], [m2, 1]);
    sum(c, spare[1], [m1, 1], [m2, -1]);
    sum(c, spare[2], [m3, 1], [m4, 1]);
    sum(c, spare[3], [m3, 1], [m4, -1]);
    return spare;
  }

  /** The results at a point and at its negative: the first two terms (of even powers) plus and minus the others. */
  private pair(c: Code, at: number, even0: Term, even1: Term, ...odd: readonly Term[]): void {
    const [even, rest] = this.spare as [number, number];
    sum(c, even, even0, even1);
    sum(c, rest, ...odd);
    sum(c, this.made[at]!, [even, 1], [rest, 1]);
    sum(c, this.made[at + 1]!, [even, 1], [rest, -1]);
  }
}

/** `into` ← Σ local·factor. */
function sum(c: Code, into: number, ...terms: readonly Term[]): void {
  terms.forEach(([at, factor], i) => {
    c.get(at);
    const scale = i ? Math.abs(factor) : factor;
    if (scale !== 1) c.f32(scale).op(op.f32x4Splat, op.f32x4Mul);
    if (i) c.op(factor < 0 ? op.f32x4Sub : op.f32x4Add);
  });
  c.set(into);
}
