/** Folders of images in every layout that is read without lists: names of files and folders, links, pipes, other files. */
import { gzipSync } from "node:zlib";
import { defineFormat } from "../format.js";
import { jpeg, png, webp } from "../pictures.js";
import { changeTree } from "../trees.js";
import { pathOf, type Tree } from "../trial.js";

const files = [
  ["jpg", jpeg],
  ["png", png],
  ["webp", webp],
] as const;
/** Six images of each class below a folder. */
const classes = (folder: string, names: readonly string[] = ["cats", "dogs"]): Tree =>
  new Map(
    names.flatMap((name) =>
      Array.from({ length: 6 }, (_, i) => {
        const [ending, bytes] = files[i % 3]!;
        return [pathOf(`${folder}${name}/${i}.${ending}`), { bytes }] as const;
      }),
    ),
  );

const layouts: readonly (() => Tree)[] = [
  () => classes(""),
  () => classes("", ["."]),
  () => new Map([...classes("train/"), ...classes("val/")]),
  () => new Map([...classes("train/"), ...classes("val/"), ...classes("test/")]),
  () => classes("a/b/c/"),
  () => classes("", ["BACKGROUND_Google", "accordion", "ant"]),
  () => classes("", ["ünïcode", "日本", "with blank"]),
];

const svg = Buffer.from(
  `<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="9000"><rect width="9" height="9"/></svg>`,
);
const others = [
  ["x.svg", svg],
  ["x.png", svg],
  ["x.jpg", gzipSync(Buffer.alloc(2 ** 20))],
  ["x.gif", Buffer.from("GIF89a\u0001\u0000\u0001\u0000\u0000\u0000\u0000;", "latin1")],
  ["x.tif", Buffer.from("II*\u0000\u0008\u0000\u0000\u0000", "latin1")],
  ["x.png", Buffer.from("%PDF-1.4\n")],
  ["x.png", Buffer.from("\u0000\u0000\u0000 ftypavif", "latin1")],
  [".DS_Store", Buffer.from("Bud1")],
  ["Thumbs.db", Buffer.from("x")],
  ["readme.txt", Buffer.from("read me")],
] as const;

export const names = defineFormat<Tree>({
  name: "names",
  sample: (draws) => draws.pick(layouts)(),
  changes: [
    changeTree,
    changeTree,
    changeTree,
    (tree, draws) => {
      const [name, bytes] = draws.pick(others);
      tree.set(draws.pick([...tree.keys()]).replace(/[^/]*$/, name), { bytes });
    },
    // Folders that have the name of a part, in the place of a class.
    (tree, draws) => {
      const [old] = draws.pick([...tree.keys()]).split("/");
      const fresh = draws.pick(["train", "val", "test", "Train", "validation", "valid", "testing", "images"]);
      for (const [path, entry] of [...tree])
        if (path.startsWith(`${old}/`)) {
          tree.delete(path);
          tree.set(`${fresh}${path.slice(old!.length)}`, entry);
        }
    },
    // Links to folders: a class twice, a circle.
    (tree, draws) =>
      void tree.set(draws.pick(["again", "train/again", "cats/again"]), {
        link: draws.pick([".", "..", "cats", "../cats", "/proc/self", "/dev"]),
      }),
  ],
  encode: (tree) => tree,
  attempts: (draws) => [{ read: "data", name: "{}", strict: draws.once(6), boxes: draws.once(4) }],
});
