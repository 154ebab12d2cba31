/** The hand-written kernel families as plain loops, written from their contract alone. */
import type { HostArray } from "@dawnstrap/tensor";

type Family = (params: any, buffers: readonly HostArray[]) => void;

const gemm: Family = ({ m, n, k, transA, transB, batchShape, aStrides, bStrides }, [a, b, c]) => {
  const batches = batchShape.reduce((x: number, d: number) => x * d, 1);
  for (let i = 0; i < batches; i++) {
    let [rest, a0, b0] = [i, 0, 0];
    for (let x = batchShape.length - 1; x >= 0; x--) {
      a0 += (rest % batchShape[x]) * aStrides[x];
      b0 += (rest % batchShape[x]) * bStrides[x];
      rest = Math.floor(rest / batchShape[x]);
    }
    for (let r = 0; r < m; r++)
      for (let s = 0; s < n; s++) {
        let total = 0;
        for (let l = 0; l < k; l++)
          total += a![a0 + (transA ? l * m + r : r * k + l)]! * b![b0 + (transB ? s * k + l : l * n + s)]!;
        c![(i * m + r) * n + s] = total;
      }
  }
};

/** Positions in x, w and y of every product, and the flat row of y that it belongs to. */
function products(p: any, visit: (x: number, w: number, y: number, row: number) => void): void {
  const [inG, outG] = [p.inC / p.groups, p.outC / p.groups];
  for (let n = 0; n < p.batch; n++)
    for (let oy = 0; oy < p.outH; oy++)
      for (let ox = 0; ox < p.outW; ox++)
        for (let ky = 0; ky < p.kh; ky++)
          for (let kx = 0; kx < p.kw; kx++) {
            const y = oy * p.strideH + ky * p.dilationH - p.padTop;
            const x = ox * p.strideW + kx * p.dilationW - p.padLeft;
            if (y < 0 || y >= p.h || x < 0 || x >= p.w) continue;
            const row = (n * p.outH + oy) * p.outW + ox;
            for (let o = 0; o < p.outC; o++)
              for (let i = 0; i < inG; i++)
                visit(
                  ((n * p.h + y) * p.w + x) * p.inC + Math.floor(o / outG) * inG + i,
                  ((ky * p.kw + kx) * inG + i) * p.outC + o,
                  row * p.outC + o,
                  row,
                );
          }
}

const conv2d: Family = (p, [x, w, y]) => {
  y!.fill(0);
  products(p, (i, j, k) => (y![k]! += x![i]! * w![j]!));
};
const conv2dInputGrad: Family = (p, [dy, w, dx]) => {
  dx!.fill(0);
  products(p, (i, j, k) => (dx![i]! += dy![k]! * w![j]!));
};
const conv2dWeightGrad: Family = (p, [x, dy, partials]) => {
  partials!.fill(0);
  const share = Math.ceil((p.batch * p.outH * p.outW) / p.splits);
  const size = (p.kh * p.kw * p.inC * p.outC) / p.groups;
  products(p, (i, j, k, row) => (partials![Math.floor(row / share) * size + j]! += x![i]! * dy![k]!));
};

const scatterAdd: Family = ({ rows, inner, count }, [sorted, order, updates, out]) => {
  for (let j = 0; j < count; j++) {
    if (j > 0 && sorted![j]! < sorted![j - 1]!) throw new Error("scatterAdd: rows are not ascending");
    if (sorted![j]! < 0 || sorted![j]! >= rows) continue;
    for (let c = 0; c < inner; c++) out![sorted![j]! * inner + c]! += updates![order![j]! * inner + c]!;
  }
};

export const families: Readonly<Record<string, Family>> = {
  gemm,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  scatterAdd,
};
