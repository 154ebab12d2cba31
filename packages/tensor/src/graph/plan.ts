/**
 * The memory plan: temporary buffers that are never alive together share the same bytes of a few arenas.
 *
 * Where a device forbids reading and writing one memory in the same kernel, buffers are first coloured, so that what
 * a kernel reads and what it writes lie in different arenas; each colour is then packed by itself.
 */
import { storageBytes } from "../dtype.js";
import type { Buf, Call, DeviceLimits } from "../program.js";
import { wholeOf } from "./lowering.js";

export interface ArenaPlan {
  /** Bytes of each arena. */
  readonly arenas: readonly number[];
  readonly places: ReadonlyMap<Buf, { readonly arena: number; readonly byteOffset: number }>;
}

interface Life {
  readonly buf: Buf;
  readonly bytes: number;
  readonly first: number;
  last: number;
}

export const bytesOf = (buf: Buf): number =>
  Math.max(16, Math.ceil((buf.numel * storageBytes[buf.dtype]) / 16) * 16);

/** Places every temporary buffer of the calls; `isTemporary` says which those are. */
export function planArenas(
  calls: readonly Call[],
  isTemporary: (whole: Buf) => boolean,
  limits: DeviceLimits,
): ArenaPlan {
  const align = (n: number): number => Math.ceil(n / limits.offsetAlignment) * limits.offsetAlignment;
  const lives = new Map<Buf, Life>();
  calls.forEach((call, t) => {
    for (const { buf } of call.bindings) {
      const whole = wholeOf(buf);
      if (!isTemporary(whole)) continue;
      const life = lives.get(whole);
      if (life) life.last = t;
      else lives.set(whole, { buf: whole, bytes: align(bytesOf(whole)), first: t, last: t });
    }
  });
  const colours = limits.exclusiveWrites
    ? colour(calls, lives)
    : new Map([...lives.keys()].map((b) => [b, 0]));
  const arenas: number[] = [];
  const places = new Map<Buf, { arena: number; byteOffset: number }>();
  for (const c of new Set(colours.values())) {
    let waiting = [...lives.values()]
      .filter((l) => colours.get(l.buf) === c)
      .sort((a, b) => b.bytes - a.bytes || a.first - b.first);
    while (waiting.length) {
      // What does not fit under the largest allocation goes to a further arena.
      const { size, offsets, left } = pack(waiting, limits.memoryBytes);
      for (const [buf, byteOffset] of offsets) places.set(buf, { arena: arenas.length, byteOffset });
      arenas.push(size);
      waiting = left;
    }
  }
  return { arenas, places };
}

/** Greedy by size: each buffer takes the lowest gap among those placed buffers that live at the same time. */
function pack(
  lives: readonly Life[],
  limit: number,
): { size: number; offsets: Map<Buf, number>; left: Life[] } {
  const placed: { life: Life; offset: number }[] = [];
  const offsets = new Map<Buf, number>();
  const left: Life[] = [];
  let size = 0;
  for (const life of lives) {
    let offset = 0;
    for (const other of placed) {
      if (other.life.last < life.first || other.life.first > life.last) continue;
      if (other.offset >= offset + life.bytes) break;
      offset = Math.max(offset, other.offset + other.life.bytes);
    }
    if (offset + life.bytes > limit && placed.length) {
      left.push(life);
      continue;
    }
    offsets.set(life.buf, offset);
    size = Math.max(size, offset + life.bytes);
    let at = placed.findIndex((p) => p.offset > offset);
    if (at < 0) at = placed.length;
    placed.splice(at, 0, { life, offset });
  }
  return { size, offsets, left };
}

/** Greedy graph colouring, largest buffers first; buffers read and written by one kernel get different colours. */
function colour(calls: readonly Call[], lives: ReadonlyMap<Buf, Life>): Map<Buf, number> {
  const conflicts = new Map<Buf, Set<Buf>>([...lives.keys()].map((b) => [b, new Set()]));
  for (const call of calls) {
    const wholes = call.bindings.map(({ buf, access }) => ({
      whole: wholeOf(buf),
      reads: access === "read",
    }));
    for (const a of wholes)
      for (const b of wholes)
        if (a.reads && !b.reads && a.whole !== b.whole && conflicts.has(a.whole) && conflicts.has(b.whole)) {
          conflicts.get(a.whole)!.add(b.whole);
          conflicts.get(b.whole)!.add(a.whole);
        }
  }
  const colours = new Map<Buf, number>();
  for (const { buf } of [...lives.values()].sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const taken = new Set([...conflicts.get(buf)!].map((other) => colours.get(other)));
    let c = 0;
    while (taken.has(c)) c++;
    colours.set(buf, c);
  }
  return colours;
}
