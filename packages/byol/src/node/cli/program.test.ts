import { createRequire } from "node:module";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "./program.js";

/** What was written since the test began. */
const written = { stdout: "", stderr: "" };
beforeEach(() => {
  for (const name of ["stdout", "stderr"] as const) {
    written[name] = "";
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += text;
      return true;
    });
  }
});
afterEach(() => vi.restoreAllMocks());

const { scripts, version } = createRequire(import.meta.url)("../../../package.json") as {
  scripts: Record<string, string>;
  version: string;
};
/** Every command, by the words that reach it. */
const commands = [
  ...["pretrain", "resume", "presets", "plan", "evaluate", "embed", "search", "views", "report"],
  ...["knn", "linear", "semi", "finetune", "transfer"].map((protocol) => `evaluate ${protocol}`),
];

describe("byol", () => {
  it.each(commands)("%s --help shows its options and ends with 0", async (words) => {
    expect(await main([...words.split(" "), "--help"])).toBe(0);
    expect(written.stdout).toMatch(new RegExp(`^Usage: byol ${words} `));
    expect(written.stderr).toBe("");
  });
  it("writes out what would steer a terminal, and leaves out the middle of what has no end", async () => {
    expect(await main(["report", "\u001b[2Jrun\u202e\r"])).toBe(2);
    expect(written.stderr).toContain("\\x1b[2Jrun\\u202e\\x0d");
    expect(await main(["report", "--\u001b[2J"])).toBe(2);
    for (const steering of ["\u001b", "\r", "\u202e"]) expect(written.stderr).not.toContain(steering);
    written.stderr = "";
    expect(await main(["report", "a".repeat(100_000)])).toBe(2);
    expect(written.stderr).toMatch(/^error: report: there is no a+ … a+ \(name folders of runs\)\n$/);
    expect(written.stderr.length).toBeLessThan(2100);
  });
  it("--help names every command, and each is a script of the package", async () => {
    expect(await main(["--help"])).toBe(0);
    const named = [...written.stdout.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name);
    const own = commands.filter((words) => !words.includes(" "));
    expect(named.filter((name) => name !== "help").sort()).toEqual([...own].sort());
    for (const name of own) expect(scripts[name]).toBe(`node ../../scripts/byol.mjs ${name}`);
  });
  it("--version is the package's", async () => {
    expect(await main(["--version"])).toBe(0);
    expect(written.stdout).toBe(`${version}\n`);
  });
  it.each([
    ["pretrain --preset nope", 2],
    ["pretrain --device tpu", 2],
    ["pretrain --steps 3 --epochs 2", 2],
    ["plan --set bach=3", 2],
    ["plan --config /nowhere.json", 2],
    ["evaluate knn --encoder /nowhere --data digits", 2],
    ["resume /nowhere", 2],
    ["plan --data /nowhere --device cpu", 2],
    ["evaluate knn --encoder random --preset tiny --data pets:/dev --device cpu", 1],
  ])("%s ends with %d: 2 where the words are at fault, 1 where what they name is", async (words, code) => {
    expect(await main(words.split(" "))).toBe(code);
    expect(written.stderr).toMatch(/^error: /);
  });
  it.each([
    ["pretrain --preset diggits", "digits"],
    ["presets imagenet-r5O", "imagenet-r50"],
    ["pretrain --method simclrr", "simclr"],
    ["pretrain --data digit", "digits"],
    ["evaluate knn --encoder random --preset tiny --data cifar-10:x", "cifar10"],
    ["evaluate knn --encoder randm --data digits", "random"],
    ["pretrain --set bach=3", "batch"],
  ])("%s: did you mean %s", async (words, meant) => {
    expect(await main(words.split(" "))).toBe(2);
    expect(written.stderr).toContain(` (did you mean "${meant}"?)`);
  });
  it.each([
    ["pretrian", "pretrain"],
    ["evaluate kn", "knn"],
    ["pretrain --stepz 3", "--steps"],
  ])("%s: did you mean %s", async (words, meant) => {
    expect(await main(words.split(" "))).toBe(2);
    expect(written.stderr).toContain(`(Did you mean ${meant}?)`);
  });
  it.each([[[]], [["evaluate"]], [["trainn"]], [["pretrain", "--stepz", "3"]], [["resume"]]])(
    "%j is refused with 2 and help, or with a hint at it",
    async (words) => {
      expect(await main(words)).toBe(2);
      expect(written.stdout).toBe("");
      expect(written.stderr).toMatch(/^Usage: byol|\(--help shows the options\)\n$/);
    },
  );
});
