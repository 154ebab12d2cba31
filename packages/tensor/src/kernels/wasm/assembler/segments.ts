/**
 * Zero-bordered copies of pieces of an image batch. A convolution over such a copy needs no test at any border, and
 * all its addresses are constants away from each other: no patch matrix is ever made.
 */
import type { Code, Func } from "./assembler.js";
import { type Amount, forLoop, local, setMin, setSum } from "./loops.js";
import { op } from "./opcodes.js";

/** A batch of images that windows slide over. Distances are in pixels of the source. */
export interface Sliding {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Window positions: rows × columns, moving by these steps. */
  readonly rows: number;
  readonly columns: number;
  readonly stepY: number;
  readonly stepX: number;
  /** Least and greatest distance of a read pixel from its window's position. */
  readonly minY: number;
  readonly maxY: number;
  readonly minX: number;
  readonly maxX: number;
}

/** How a batch is cut: into images, or, where these are large, into blocks of window rows. */
export interface Segments extends Sliding {
  /** Window rows of a segment. */
  readonly blockRows: number;
  /** Segments per image. */
  readonly perImage: number;
  readonly total: number;
  /** The source is read where it is: no window leaves it. */
  readonly inPlace: boolean;
  /** Rows and columns (in pixels) of a segment's copy. */
  readonly copyRows: number;
  readonly copyColumns: number;
  /** Bytes of a pixel, and from row to row of what the windows read. */
  readonly pixelBytes: number;
  readonly rowBytes: number;
  /** Bytes of a segment's copy. */
  readonly bytes: number;
}

/**
 * Cuts so that a copy takes at most `most` bytes. `channels` is what is copied of each pixel; `atLeast` asks for more
 * segments than that, so that as many threads or partial sums can have one.
 */
export function cutSegments(s: Sliding, most: number, atLeast = 1, channels = s.channels): Segments {
  const inPlace =
    s.minY >= 0 &&
    s.minX >= 0 &&
    (s.rows - 1) * s.stepY + s.maxY < s.height &&
    (s.columns - 1) * s.stepX + s.maxX < s.width;
  const pixelBytes = 4 * (inPlace ? s.channels : channels);
  const copyColumns = inPlace ? s.width : (s.columns - 1) * s.stepX + s.maxX - s.minX + 1;
  const rowBytes = pixelBytes * copyColumns;
  const copyRows = (rows: number): number => (rows - 1) * s.stepY + s.maxY - s.minY + 1;
  let perImage = 1;
  const rowsOf = (pieces: number): number => Math.ceil(s.rows / pieces);
  while (
    rowsOf(perImage) > 1 &&
    (s.batch * perImage < atLeast || copyRows(rowsOf(perImage)) * rowBytes > most)
  )
    perImage++;
  const blockRows = rowsOf(perImage);
  perImage = Math.ceil(s.rows / blockRows);
  return {
    ...s,
    blockRows,
    perImage,
    total: s.batch * perImage,
    inPlace,
    copyRows: copyRows(blockRows),
    copyColumns,
    pixelBytes,
    rowBytes,
    bytes: inPlace ? 0 : copyRows(blockRows) * rowBytes,
  };
}

/** Pixels between a window position and the copy's (or, in place, the image's) origin are counted from here. */
export const originOf = (s: Segments): { readonly y: number; readonly x: number } =>
  s.inPlace ? { y: 0, x: 0 } : { y: s.minY, x: s.minX };

/** Local addresses that a segment's window reads start from. */
export interface SegmentAt {
  /** Local: image of the segment. */
  readonly image: number;
  /** Local: its first window row. */
  readonly row: number;
}

/** Sets the locals of segment number `index`. */
export function locate(c: Code, s: Segments, index: number, at: SegmentAt): void {
  if (s.perImage === 1) {
    c.get(index).set(at.image).i32(0).set(at.row);
    return;
  }
  c.get(index).i32(s.perImage).op(op.i32DivU).set(at.image);
  setSum(c, at.row, 0, [local(index), s.blockRows], [local(at.image), -s.blockRows * s.perImage]);
}

/** `into` ← the window rows of the located segment, at most `rows` in the image. */
export function rowsHere(c: Code, s: Segments, at: SegmentAt, rows: number, into: number): void {
  if (s.perImage === 1) {
    c.i32(Math.min(rows, s.blockRows)).set(into);
    return;
  }
  setSum(c, into, rows, [local(at.row), -1]);
  setMin(c, into, local(into), s.blockRows);
}

/**
 * `into` ← address of what the segment's first window position reads at distance (origin.y, origin.x), of channel
 * `channel` (where a copy holds some channels only, that one is its first).
 */
export function segmentAddress(
  c: Code,
  s: Segments,
  at: SegmentAt,
  source: number,
  copies: number,
  slot: Amount,
  into: number,
  channel: Amount = 0,
): void {
  if (s.inPlace)
    setSum(
      c,
      into,
      0,
      [local(source), 1],
      [channel, 4],
      [local(at.image), s.height * s.width * s.pixelBytes],
      [local(at.row), s.stepY * s.width * s.pixelBytes],
    );
  else setSum(c, into, 0, [local(copies), 1], [slot, s.bytes]);
}

/** Zeroes the copies once per run: borders then stay zero, because copying never touches them. */
export function clearCopies(c: Code, s: Segments, copies: number, count: number): void {
  if (!s.inPlace)
    c.get(copies)
      .i32(0)
      .i32(count * s.bytes)
      .memoryFill();
}

/** Copies the located segment into slot `slot`; channels from `channel` on, as many as fit into pixelBytes. */
export function copySegment(
  f: Func,
  c: Code,
  s: Segments,
  at: SegmentAt,
  source: number,
  copies: number,
  slot: Amount,
  channel: Amount = 0,
): void {
  if (s.inPlace) return;
  const [r, y, from, to] = [f.local(), f.local(), f.local(), f.local()];
  const firstX = Math.max(0, s.minX);
  const into = Math.max(0, -s.minX);
  const columns = Math.max(0, Math.min(s.width - firstX, s.copyColumns - into));
  const whole = s.pixelBytes === 4 * s.channels;
  const body = (l: Code): void => {
    setSum(l, y, s.minY, [local(at.row), s.stepY], [local(r), 1]);
    setSum(l, to, into * s.pixelBytes, [local(copies), 1], [slot, s.bytes], [local(r), s.rowBytes]);
    l.get(y)
      .i32(s.height)
      .op(op.i32LtU)
      .if(
        (inside) => {
          if (!columns) return;
          setSum(
            inside,
            from,
            4 * firstX * s.channels,
            [local(source), 1],
            [local(at.image), 4 * s.height * s.width * s.channels],
            [local(y), 4 * s.width * s.channels],
            [channel, 4],
          );
          if (whole) copyBytes(f, inside, from, to, columns * s.pixelBytes);
          else {
            const x = f.local();
            forLoop(inside, x, 0, columns, 1, (pixel) => {
              copyBytes(f, pixel, from, to, s.pixelBytes);
              pixel
                .get(from)
                .i32(4 * s.channels)
                .op(op.i32Add)
                .set(from)
                .get(to)
                .i32(s.pixelBytes)
                .op(op.i32Add)
                .set(to);
            });
          }
        },
        (outside) => {
          // The slot may hold another block's rows.
          if (s.perImage > 1 && columns)
            outside
              .get(to)
              .i32(0)
              .i32(columns * s.pixelBytes)
              .memoryFill();
        },
      );
  };
  forLoop(c, r, 0, s.copyRows, 1, body);
}

/** Copies a known number of bytes (a multiple of 4): short stretches in registers, long ones by the engine. */
function copyBytes(f: Func, c: Code, from: number, to: number, bytes: number): void {
  if (bytes > 512) {
    c.get(to).get(from).i32(bytes).memoryCopy();
    return;
  }
  let at = 0;
  const piece = f.local("v128");
  for (; at + 16 <= bytes; at += 16)
    c.get(from).memory(op.v128Load, at).set(piece).get(to).get(piece).memory(op.v128Store, at);
  for (; at < bytes; at += 4) c.get(to).get(from).memory(op.f32Load, at).memory(op.f32Store, at);
}
