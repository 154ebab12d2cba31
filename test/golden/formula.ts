/** The TypeScript half of generator/formula.py: the same numbers, bit for bit, from a name and an index. */

export function fnv1a(name: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

/** The finaliser of MurmurHash3. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** n 32-bit words of the stream `name`. */
export function bits(name: string, n: number): Uint32Array {
  const seed = fnv1a(name);
  const words = new Uint32Array(n);
  for (let i = 0; i < n; i++) words[i] = mix((seed + Math.imul(i, 0x9e3779b9)) >>> 0);
  return words;
}

/** n values in [−1, 1) of the stream `name`, multiples of 2⁻²³. */
export function uniform(name: string, n: number): Float64Array {
  const words = bits(name, n);
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = (words[i]! >>> 8) / 2 ** 23 - 1;
  return values;
}

const count = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** offset + scale·uniform, rounded to float32. */
export function tensor(name: string, shape: readonly number[], scale = 1, offset = 0): Float32Array {
  const values = Float32Array.from(uniform(name, count(shape)));
  // The uniform values are exact in float32; the result is computed in float64 and rounded once.
  for (let i = 0; i < values.length; i++) values[i] = offset + scale * values[i]!;
  return values;
}

/** The weights every golden net starts from; `shape` in PyTorch's layout. */
export function parameter(name: string, shape: readonly number[]): Float32Array {
  if (name.endsWith("bias")) return tensor(name, shape, 0.1);
  if (shape.length === 1) return tensor(name, shape, 0.25, 1);
  return tensor(name, shape, Math.sqrt(6 / count(shape.slice(1))));
}

/** n class labels. */
export function labels(name: string, n: number, classes: number): Int32Array {
  return Int32Array.from(bits(name, n), (b) => b % classes);
}

/** Images of a formula, moved from PyTorch's NCHW to NHWC. */
export function images(name: string, shape: readonly [number, number, number, number]): Float32Array {
  const [n, c, h, w] = shape;
  const from = tensor(name, shape);
  const to = new Float32Array(from.length);
  let k = 0;
  for (let b = 0; b < n; b++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) for (let f = 0; f < c; f++) to[k++] = from[((b * c + f) * h + y) * w + x]!;
  return to;
}
