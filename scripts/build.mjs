// Builds the packages, and only those that are out of date: programs by tsup, types of all by one run of tsc.
//
//   node scripts/build.mjs [--force] [package ...]
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const order = ["tensor", "autograd", "nn", "byol"];
const args = process.argv.slice(2);
const force = args.includes("--force");
const asked = args.filter((arg) => arg !== "--force");
const unknown = asked.filter((name) => !order.includes(name));
if (unknown.length > 0) {
  console.error(`build: no package ${unknown.join(", ")}; there are ${order.join(", ")}`);
  process.exit(1);
}

const shared = newest(
  [
    "scripts/build.mjs",
    "scripts/library.config.ts",
    "scripts/types.json",
    "package-lock.json",
    "tsconfig.json",
  ].map((file) => join(root, file)),
);
const release = takeTurn(join(root, "node_modules", ".dawnstrap-build"));
const built = [];
for (const name of order) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const folder = join(root, "packages", name);
  // Written last, so that a build that broke halfway counts as none. Its time is that of the build's start: a source
  // saved while the build ran is newer.
  const stamp = join(folder, "dist", ".built");
  const sources = Math.max(
    shared,
    newest([join(folder, "src"), join(folder, "package.json"), join(folder, "tsup.config.ts")]),
  );
  // A package's types are made from those of the packages to its left.
  if (!force && built.length === 0 && sources < modified(stamp)) continue;
  if (built.length === 0) announce(name, stamp);
  const start = new Date();
  rmSync(stamp, { force: true });
  run(name, join("tsup", "dist", "cli-default.js"), ["--silent"], folder);
  built.push({ name, folder, stamp, start });
}
if (built.length > 0) {
  const types = join(root, "node_modules", ".cache", "types");
  // What tsc finds unchanged it does not write again, nor take away what has no source any more.
  rmSync(types, { recursive: true, force: true });
  run("types", join("typescript", "bin", "tsc"), ["-p", "scripts/types.json"], root);
  for (const { name, folder, stamp, start } of built) {
    cpSync(join(types, name, "src"), join(folder, "dist", "types"), { recursive: true });
    writeFileSync(stamp, "");
    utimesSync(stamp, start, start);
  }
}
release();

/** Says what is about to take a while, and that it cannot where the tools for it are not there. */
function announce(name, stamp) {
  if (modified(join(root, "node_modules", "tsup")) === 0) {
    release();
    console.error("build: the packages are not built, and tsup is not installed (run npm ci first)");
    process.exit(1);
  }
  const state = modified(stamp) === 0 ? "are not built yet" : "have changed";
  console.log(`build: the packages from ${name} on ${state}; building them takes a few seconds each`);
}

/** Runs a tool of node_modules, and ends with what it said where it fails. */
function run(what, tool, words, cwd) {
  const start = Date.now();
  const { status } = spawnSync(process.execPath, [join(root, "node_modules", tool), ...words], {
    cwd,
    stdio: "inherit",
  });
  if (status !== 0) {
    release();
    console.error(`build: ${what} failed`);
    process.exit(1);
  }
  console.log(`build: ${what} ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** Two test files, or two people in one tree, may ask for a build at once; one waits and then finds it done. */
function takeTurn(lock) {
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isGone(lock)) rmSync(lock, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

/** Whether the build that holds the lock died without giving it back. */
function isGone(lock) {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The newest change below these files and folders; a folder's own time tells of removed files. */
function newest(paths) {
  let time = 0;
  for (const path of paths) {
    time = Math.max(time, modified(path));
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) continue;
    for (const entry of readdirSync(path, { recursive: true })) {
      if (!entry.endsWith(".test.ts")) time = Math.max(time, modified(join(path, entry)));
    }
  }
  return time;
}
