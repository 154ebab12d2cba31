/** Parameters of the hand-written families, as the ops give them. */

export interface GemmParams {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** A is stored [k, m]. */
  readonly transA: boolean;
  /** B is stored [n, k]. */
  readonly transB: boolean;
  readonly batchShape: readonly number[];
  /** Element stride of each batch axis; 0 broadcasts. */
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
}

export interface ConvParams {
  readonly batch: number;
  readonly h: number;
  readonly w: number;
  readonly inC: number;
  readonly outC: number;
  readonly kh: number;
  readonly kw: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly outH: number;
  readonly outW: number;
  readonly groups: number;
}

export interface ConvWeightGradParams extends ConvParams {
  readonly splits: number;
}

export interface ScatterAddParams {
  readonly rows: number;
  readonly inner: number;
  readonly count: number;
}
