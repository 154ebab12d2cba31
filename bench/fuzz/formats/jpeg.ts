/** JPEG files: segments of a marker, a length and a content, then the scan. */
import { integer, joined } from "../bytes.js";
import type { Draws } from "../draws.js";
import { defineFormat } from "../format.js";
import { jpeg as sound } from "../pictures.js";

interface Segment {
  marker: number;
  data: Uint8Array;
  /** What its header says, where that is not its length. */
  length?: number;
}

interface Jpeg {
  segments: Segment[];
  scan: Uint8Array;
}

function parsed(bytes: Uint8Array): Jpeg {
  const segments: Segment[] = [];
  let at = 2;
  while (bytes[at] === 0xff) {
    const length = bytes[at + 2]! * 256 + bytes[at + 3]!;
    segments.push({ marker: bytes[at + 1]!, data: bytes.subarray(at + 4, at + 2 + length) });
    at += 2 + length;
    // The scan's header is the last.
    if (segments.at(-1)!.marker === 0xda) break;
  }
  return { segments, scan: bytes.subarray(at) };
}

const file = ({ segments, scan }: Jpeg): Uint8Array =>
  joined(
    [0xff, 0xd8],
    ...segments.flatMap(({ marker, data, length }) => [
      [0xff, marker],
      integer(length ?? data.length + 2, 2),
      data,
    ]),
    scan,
  );

/** Frame headers: baseline, progressive and others. */
const isFrame = ({ marker }: Segment): boolean => marker >= 0xc0 && marker <= 0xc2;

/** An EXIF segment that names an orientation, or something else at its place. */
const exif = (orientation: number, count: number): Segment => ({
  marker: 0xe1,
  data: joined(
    "Exif\0\0MM\0*",
    ...[integer(8, 4), integer(1, 2), integer(0x112, 2), integer(3, 2), integer(count, 4)],
    ...[integer(orientation, 2), integer(0, 2), integer(orientation, 4)],
  ),
});

const put = (segment: Segment | undefined, at: number, value: number, size: 1 | 2): void => {
  if (!segment || at + size > segment.data.length) return;
  const data = Uint8Array.from(segment.data);
  data.set(integer(value, size), at);
  segment.data = data;
};

export const jpeg = defineFormat<Jpeg[]>({
  name: "jpeg",
  sample: () => Array.from({ length: 6 }, () => parsed(sound)),
  changes: [
    // Height or width; both at once; components, and their sampling.
    (all, draws) => put(draws.pick(all).segments.find(isFrame), draws.pick([1, 3]), draws.number(24), 2),
    (all, draws) => {
      const side = draws.pick([4000, 16_000, 65_535]);
      const frame = draws.pick(all).segments.find(isFrame);
      for (const at of [1, 3]) put(frame, at, side, 2);
    },
    (all, draws) => put(draws.pick(all).segments.find(isFrame), draws.pick([0, 5, 7, 10]), draws.bits(), 1),
    (all, draws) => {
      const frame = draws.pick(all).segments.find(isFrame);
      if (frame) frame.marker = draws.pick([0xc1, 0xc2, 0xc3, 0xc9, 0xca]);
    },
    (all, draws) => {
      const segment = draws.pick(draws.pick(all).segments);
      if (segment) segment.length = draws.number(segment.data.length);
    },
    (all, draws) => {
      const { segments } = draws.pick(all);
      const [segment] = segments.splice(draws.below(segments.length), 1);
      if (segment && draws.once(2)) segments.splice(draws.below(segments.length + 1), 0, segment, segment);
    },
    (all, draws) => void draws.pick(all).segments.unshift(exif(draws.number(6), draws.number(1))),
    (all, draws) => {
      const data = draws.once(2) ? draws.bytes(draws.below(300)) : new Uint8Array(65_000);
      draws.pick(all).segments.unshift({ marker: draws.pick([0xe0, 0xe2, 0xed, 0xee, 0xfe, 0xdd]), data });
    },
    // Many scans, each of which a progressive decoder goes through in full.
    (all, draws) => {
      const picture = draws.pick(all);
      const header = picture.segments.at(-1);
      if (!header) return;
      const again = joined([0xff, header.marker], integer(header.data.length + 2, 2), header.data);
      const scan = picture.scan.subarray(0, -2);
      picture.scan = joined(...Array.from({ length: 500 }, () => [scan, again]).flat(), picture.scan);
    },
    (all, draws) => {
      const picture: Jpeg = draws.pick(all);
      picture.scan = picture.scan.subarray(0, draws.below(picture.scan.length));
    },
  ],
  encode: (all) =>
    new Map(all.map((each, i) => [`${i % 2 ? "cats" : "dogs"}/${i}.jpg`, { bytes: file(each) }])),
  attempts: (draws: Draws) => [{ read: "data", name: "{}", strict: draws.once(4), boxes: draws.once(2) }],
});
