import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

// Permissions stop no test that runs as root: the folder "locked" stands for one that may not be read.
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const readdir = (folder: string, ...rest: never[]) =>
    folder.endsWith("/locked")
      ? Promise.reject(Object.assign(new Error("denied"), { code: "EACCES" }))
      : real.readdir(folder, ...rest);
  return { ...real, readdir };
});
// Another test's copy of the module, read before, would have the real one.
vi.resetModules();
const { entriesIn, treeBelow, isDataPath } = await import("./entries.js");

let root: string;
const put = async (...files: string[]): Promise<void> => {
  for (const file of files) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), "");
  }
};
const below = async (folder: string, skip?: (path: string, reason: string) => void) =>
  (await treeBelow(join(root, folder), skip)).files;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "entries-test-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const foreign = [
  ...[".ipynb_checkpoints/x.png", "__MACOSX/._x.png", "._x.png", ".DS_Store", "Thumbs.db", "THUMBS.DB"],
  ...["desktop.ini", "@eaDir/x.png", "$RECYCLE.BIN/x.png", "lost+found/x.png", "System Volume Information/x"],
];

describe("entries", () => {
  it("leaves out what is hidden or a system's, at any depth", async () => {
    await put("system/a/1.png", "system/b/deep/2.png");
    for (const name of foreign)
      await put(`system/${name}`, `system/a/${name}`, `system/b/deep/${name}`, `system/b/new/${name}`);
    expect(await below("system")).toEqual(["a/1.png", "b/deep/2.png"]);
    const { folders, files } = await entriesIn(join(root, "system"));
    expect([folders, files].map((list) => list.map(({ name }) => name))).toEqual([["a", "b"], []]);
    for (const name of foreign) expect([name, isDataPath(`a/${name}`)]).toEqual([name, false]);
    for (const name of ["x.png", "./a/x.png", "a.b/_x.png"])
      expect([name, isDataPath(name)]).toEqual([name, true]);
  });

  it("follows links to folders and files once, own paths first, and cuts circles", async () => {
    await put("links/cats/1.png", "elsewhere/dogs/2.png", "elsewhere/3.png");
    await symlink(join(root, "elsewhere/dogs"), join(root, "links/dogs"));
    await symlink(join(root, "elsewhere/3.png"), join(root, "links/three.png"));
    // By name these come before what they point to.
    await symlink(join(root, "links/cats"), join(root, "links/alias"));
    await symlink(join(root, "links/cats"), join(root, "elsewhere/dogs/back"));
    await symlink(join(root, "links"), join(root, "links/cats/round"));
    await symlink("..", join(root, "links/above"));
    expect(await below("links")).toEqual(["cats/1.png", "dogs/2.png", "three.png"]);
  });

  it("names a link to nothing and a name that is not UTF-8", async () => {
    await put("odd/x.png");
    await symlink(join(root, "gone"), join(root, "odd/lost"));
    await symlink("self", join(root, "odd/self"));
    await writeFile(
      Buffer.concat([Buffer.from(`${root}/odd/`), Buffer.from([0xe9]), Buffer.from(".png")]),
      "",
    );
    // A file whose name has the mark itself in it is as good as any.
    await put("odd/a \uFFFD.png");
    const skipped: string[] = [];
    const files = await below("odd", (path, reason) => skipped.push(`${path}: ${reason}`));
    expect(files).toEqual(["a \uFFFD.png", "x.png"]);
    expect(skipped.sort()).toEqual([
      "lost: it is a link, and what it points to does not exist",
      "self: it is a link, and what it points to cannot be read (ELOOP)",
      "\uFFFD.png: its name is not UTF-8",
    ]);
  });

  it("names a folder that cannot be read, or whose name is not UTF-8, by its path", async () => {
    await put("closed/a/1.png", "closed/b/locked/2.png");
    await expect(below("closed")).rejects.toThrow(`${root}/closed/b/locked cannot be read: permission`);
    await put("latin/a/1.png");
    await mkdir(Buffer.concat([Buffer.from(`${root}/latin/caf`), Buffer.from([0xe9])]));
    await expect(below("latin")).rejects.toThrow(
      `the name of the folder ${root}/latin/caf\uFFFD is not UTF-8`,
    );
    await expect(below("nowhere")).rejects.toThrow(`${root}/nowhere does not exist`);
  });
});
