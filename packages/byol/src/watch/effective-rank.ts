/** How many dimensions a set of embeddings really uses. */
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { unitRows } from "../tasks/features.js";

/**
 * Effective rank (Roy & Vetterli 2007) of the covariance of ℓ2-normalised rows: exp(−Σ p·log p), p the eigenvalues
 * divided by their sum. From 1, where the rows differ along one line only, to min(rows − 1, width), where they spread
 * alike in every direction; 0 where they do not differ at all, NaN where a number is not finite.
 *
 * The covariance of n rows of d numbers has the same eigenvalues as the Gram matrix of the centred rows, so the smaller
 * of the two is decomposed.
 *
 * @param rows float32 [count, width], row-major
 */
export function effectiveRank(rows: Float32Array, width: number): number {
  // The decomposition would search for ever.
  if (!rows.every(Number.isFinite)) return Number.NaN;
  const unit = new Matrix(asRows(unitRows(rows, width), width));
  if (unit.rows === 0) return 0;
  const centred = unit.subRowVector(unit.mean("column"));
  const transposed = centred.transpose();
  const square = centred.rows < width ? centred.mmul(transposed) : transposed.mmul(centred);
  const values = new EigenvalueDecomposition(square, { assumeSymmetric: true }).realEigenvalues.map((v) =>
    Math.max(0, v),
  );
  const total = values.reduce((sum, v) => sum + v, 0);
  // Unit rows: below this mean square deviation only rounding is left.
  if (total / unit.rows < 1e-12) return 0;
  const entropy = values.reduce((sum, v) => (v > 0 ? sum - (v / total) * Math.log(v / total) : sum), 0);
  return Math.exp(entropy);
}

const asRows = (flat: Float32Array, width: number): number[][] =>
  Array.from({ length: flat.length / width }, (_, i) => [...flat.subarray(i * width, (i + 1) * width)]);
