import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LOCK } from "./files.js";
import { lock } from "./lock.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = () => join(folder, LOCK);
const held = () => JSON.parse(readFileSync(path(), "utf8"));
/** A lock like that of this process, but for `changes`. */
function leave(changes: object): void {
  const release = lock(folder);
  const text = JSON.stringify({ ...held(), nonce: "another", ...changes });
  release();
  writeFileSync(path(), text);
}

const module = new URL("lock.ts", import.meta.url).href;
const program = `
  import { lock } from ${JSON.stringify(module)};
  let words = "held";
  try { lock(process.argv[1]); } catch (error) { words = error.message; }
  process.stdin.resume().on("end", () => process.exit(0));
  console.log(words);`;

/** A process that takes the lock, says what came of it, and stays until it is ended. */
function holder() {
  const node = ["--conditions=@dawnstrap/source", "--import", "tsx", "--input-type=module"];
  const child = spawn(process.execPath, [...node, "-e", program, folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  return {
    pid: child.pid,
    said: once(child.stdout, "data").then(([words]) => String(words).trim()),
    end: (signal?: NodeJS.Signals) => {
      if (signal) child.kill(signal);
      else child.stdin.end();
      return closed;
    },
  };
}

describe("a folder's lock", () => {
  it("is held once, names its owner and goes without a trace", () => {
    const release = lock(folder);
    expect(held()).toMatchObject({ pid: process.pid });
    expect(() => lock(folder)).toThrow(
      new RegExp(`process ${process.pid} on .* is running in ${folder} .*remove ${path()}`),
    );
    expect(readdirSync(folder)).toEqual([LOCK]);
    release();
    expect(readdirSync(folder)).toEqual([]);
    lock(folder)();
  });

  it("goes with the process, and one of two at once takes over a killed process's", async () => {
    const victim = holder();
    expect(await victim.said).toBe("held");
    await victim.end("SIGKILL");
    const dead = held();
    const two = [holder(), holder()];
    const said = await Promise.all(two.map((one) => one.said));
    expect(said.filter((words) => words === "held")).toHaveLength(1);
    expect(said.find((words) => words !== "held")).toMatch(/process \d+ on .* is running in/);
    const winner = two[said.indexOf("held")]!;
    expect(held().pid).toBe(winner.pid);
    expect(held().nonce).not.toBe(dead.nonce);
    await Promise.all(two.map((one) => one.end()));
    expect(readdirSync(folder)).toEqual([]);
  }, 60_000);

  it.each([
    ["a number that no process has", { pid: 2 ** 22 + 1 }],
    ["a number that another process has got", { began: "1" }],
    ["a process from before the system was started", { boot: "earlier" }],
  ])("is taken over from %s, with what it left half done", (_, changes) => {
    leave(changes);
    for (const name of [".another", ".another.another", ".some.new"])
      writeFileSync(path() + name, readFileSync(path()));
    const release = lock(folder);
    expect(held().nonce).not.toBe("another");
    expect(readdirSync(folder)).toEqual([LOCK]);
    release();
  });

  it.each([
    ["another machine", { host: "elsewhere", pid: 2 ** 22 + 1 }],
    ["another container", { table: "elsewhere", pid: 2 ** 22 + 1 }],
  ])("is left to an owner in %s, which cannot be seen from here", (_, changes) => {
    leave(changes);
    const before = held();
    expect(() => lock(folder)).toThrow(/is running in/);
    expect(held()).toEqual(before);
    expect(readdirSync(folder)).toEqual([LOCK]);
  });

  it("is left alone where it is another program's file", () => {
    for (const text of ["", "{}", '{"pid": "abc"}']) {
      writeFileSync(path(), text);
      expect(() => lock(folder)).toThrow(/run\.lock is not a lock that a run wrote \(remove it if/);
      expect(readFileSync(path(), "utf8")).toBe(text);
    }
  });
});
