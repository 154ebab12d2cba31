/** Tar shards of the WebDataset convention. */
import { gzipSync } from "node:zlib";
import { integer, joined } from "../bytes.js";
import type { Draws } from "../draws.js";
import { defineFormat } from "../format.js";
import { jpeg, png, webp } from "../pictures.js";
import { pathOf } from "../trial.js";

interface Member {
  path: string;
  body: Uint8Array;
  /** Its header's type: "0" a file, "5" a folder, "x" and "g" extended, "L" a long name. */
  type: string;
  /** What the header says of the size, where that is not the body's: a number in octal, or any text. */
  size?: number | string;
  wrongSum?: boolean;
}

interface Shard {
  name: string;
  members: Member[];
  /** Blocks of zeros at its end. */
  end: number;
  packed: boolean;
}

const file = (path: string, body: Uint8Array | string): Member => ({ path, body: joined(body), type: "0" });

/** A size in base 256, as GNU tar writes those that octal digits do not hold. */
const large = (size: number): string =>
  Buffer.from(joined([0x80, 0, 0, 0], integer(size, 8))).toString("latin1");

function block({ path, body, type, size = body.length, wrongSum }: Member): Uint8Array {
  const header = Buffer.alloc(512);
  const put = (text: string, at: number, length: number) => header.write(text.slice(0, length), at, "latin1");
  const octal = typeof size === "number" && size >= 0 && size < 8 ** 11;
  put(path, 0, 100);
  put("0000644\u0000", 100, 8);
  put(octal ? size.toString(8).padStart(11, "0") : typeof size === "number" ? large(size) : size, 124, 12);
  put("00000000000", 136, 11);
  put("        ", 148, 8);
  put(type, 156, 1);
  put("ustar\u000000", 257, 8);
  const sum = header.reduce((total, byte) => total + byte, wrongSum ? 1 : 0);
  put(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, 8);
  return joined(header, body, new Uint8Array((512 - (body.length % 512)) % 512));
}

/** Records of an extended header: their length, with itself, a name and a value. */
function extended(name: string, value: string, lie = 0): string {
  const text = ` ${name}=${value}\n`;
  let length = text.length;
  while (`${length}`.length + text.length > length) length++;
  return `${length + lie}${text}`;
}

function shards(draws: Draws): Shard[] {
  const names = draws.pick([["train-000.tar", "val-000.tar"], ["000.tar"], ["000.tar", "001.tar"]]);
  return names.map((name, s) => {
    const members = Array.from({ length: 6 }, (_, i): Member[] => {
      const [ending, body] = (
        [
          ["jpg", jpeg],
          ["png", png],
          ["webp", webp],
        ] as const
      )[i % 3]!;
      const label = i % 2 ? file(`${s}${i}.cls`, `${i % 3}`) : file(`${s}${i}.json`, `{"label": ${i % 3}}`);
      return [file(`${s}${i}.${ending}`, body), label];
    });
    return { name, members: members.flat(), end: 2, packed: false };
  });
}

const texts = [
  "-1",
  "4294967298",
  "400000000",
  "100000",
  '{"cls": 1e300}',
  '{"label": "1"}',
  '{"cls": [0]}',
  '{"cls": {"valueOf": 1}}',
  "null",
  '{"caption": "a cat"}',
  "[".repeat(100_000),
];

export const tar = defineFormat<Shard[]>({
  name: "tar",
  sample: shards,
  changes: [
    (all, draws) => {
      const member = draws.pick(draws.pick(all).members);
      if (!member) return;
      member.size = draws.once(4)
        ? draws.pick(["-0000000001", "99999999999", "", "0x10", "\u0080\u0000"])
        : draws.number(draws.once(2) ? member.body.length : 2 ** 31);
    },
    (all, draws) => {
      const { members } = draws.pick(all);
      const place = draws.below(members.length);
      if (members[place]) members[place].wrongSum = true;
    },
    // A label of another kind.
    (all, draws) => {
      const labels = draws.pick(all).members.filter(({ path }) => /\.(cls|json)$/.test(path));
      const label = draws.pick(labels);
      if (label) label.body = joined(draws.once(3) ? draws.word("1") : draws.pick(texts));
    },
    // Members that are gone, come twice, or elsewhere.
    (all, draws) => {
      const { members } = draws.pick(all);
      const [member] = members.splice(draws.below(members.length), 1);
      if (member && draws.once(2)) members.splice(draws.below(members.length), 0, member, member);
    },
    (all, draws) => {
      const member = draws.pick(draws.pick(all).members);
      if (member)
        member.path = draws.pick([
          ...["../../../escaped.jpg", "/absolute.jpg", "", ".jpg", "a/b/../c.png", "a".repeat(99)],
          ...[
            `._${member.path}`,
            `__MACOSX/${member.path}`,
            "\xff\xfe.jpg",
            "\u001b[2J.jpg",
            pathOf("é.jpg"),
          ],
          ...["__proto__.jpg", `${member.path}.jpg`],
        ]);
    },
    (all, draws) => {
      const member = draws.pick(draws.pick(all).members);
      if (member) member.type = draws.pick(["5", "1", "2", "x", "g", "L", "K", "S", "\u0000", "7", "3", "Z"]);
    },
    // Extended headers that lie.
    (all, draws) => {
      const { members } = draws.pick(all);
      const name = draws.pick(["path", "size", "linkpath", "mtime", "__proto__", "GNU.sparse.realsize"]);
      const value = draws.once(2) ? `${draws.number(512)}` : draws.word("512");
      const record = extended(name, value, draws.once(4) ? draws.number(10) : 0);
      const header: Member = { path: "PaxHeader", type: draws.pick(["x", "g"]), body: joined(record) };
      if (draws.once(3)) header.size = draws.number(2 ** 31);
      members.splice(draws.below(members.length + 1), 0, header);
    },
    (all, draws) => {
      draws.pick(all).end = draws.pick([0, 1, 3, 5000]);
    },
    (all, draws) => {
      draws.pick(all).packed = true;
    },
    (all, draws) => {
      draws.pick(all).members = [];
    },
    (all, draws) => {
      draws.pick(all).name = draws.pick([
        "val_000.tar",
        "val000.tar",
        "test.tar",
        "train.tar",
        "A.TAR",
        ".x.tar",
      ]);
    },
  ],
  encode: (all, draws) => {
    const tree = new Map(
      all.map(({ name, members, end, packed }) => {
        const bytes = joined(...members.map(block), new Uint8Array(512 * end));
        return [name, { bytes: packed ? gzipSync(bytes) : bytes }];
      }),
    );
    if (draws.once(4)) tree.set("classes.txt", { bytes: joined("a\nb\nc\n") });
    return tree;
  },
  attempts: (draws) => [{ read: "data", name: "shards:{}", strict: draws.once(4), boxes: draws.once(4) }],
});
