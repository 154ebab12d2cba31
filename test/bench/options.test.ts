/** What the benchmarks' command lines say of wrong options, each read in this process. */
import { describe, expect, it } from "vitest";
import { flags as evaluations } from "../../bench/evaluations/options.js";
import { flags as fuzz } from "../../bench/fuzz/options.js";
import { flags as loader } from "../../bench/loader/options.js";
import { flags as methods } from "../../bench/methods/options.js";
import { casesMatching } from "../../bench/micro/list.js";
import { flags as micro } from "../../bench/micro/options.js";
import { flags as peers, optionsOf } from "../../bench/peers/options.js";
import { flags as plan } from "../../bench/plan/options.js";
import { flags as soak } from "../../bench/soak/options.js";
import { casesMatching as tunable } from "../../bench/tune/cases.js";
import { flags as tune } from "../../bench/tune/options.js";

/** What a command prints, and the error it ends with where there is one. */
function said(
  flags: typeof micro,
  args: readonly string[],
  read = (): unknown => flags.parse(args, { from: "user" }),
) {
  let text = "";
  const write = (more: string): void => {
    text += more;
  };
  flags.exitOverride().configureOutput({ writeOut: write, writeErr: write });
  try {
    read();
  } catch (error) {
    const { exitCode } = error as { exitCode: number };
    return { text, exitCode };
  }
  return { text, exitCode: undefined };
}

describe.each([
  ["bench", micro, ["--device", "abacus"], /Allowed choices are auto, webgpu, cpu, reference/],
  ["bench", micro, ["--seconds", "-1"], /a number above 0/],
  ["bench", micro, ["--only", "("], /Unterminated group/],
  ["tune", tune, ["--preset", "vgg"], /Allowed choices are matmul, resnet18, resnet50, digits/],
  ["bench:methods", methods, ["--methods", "byol,simclrr"], /There is no "simclrr"/],
  ["bench:methods", methods, ["--seeds", "0,x"], /whole numbers with commas/],
  ["bench:methods", methods, ["--epochs", "0"], /above 0/],
  ["bench:evaluations", evaluations, ["--seeds", ""], /whole numbers with commas/],
  ["bench:loader", loader, ["--steps", "0"], /whole number above 0/],
  ["bench:memory", plan, ["--batch", "1"], /whole number of at least 2/],
  ["fuzz", fuzz, ["--seconds", "0"], /a number above 0/],
  ["soak", soak, ["--kills", "-1"], /whole number, 0 or more/],
  ["bench:peers", peers, ["--device", "gpu"], /Allowed choices are cpu, webgpu/],
  ["bench:peers", peers, ["--threads", "0"], /whole number above 0/],
  ["bench:peers", peers, ["--only", "("], /--only.*Unterminated group/],
] as const)("npm run %s", (name, flags, args, message) => {
  it(`refuses ${args.join(" ")}, and what it does not know`, () => {
    const { text, exitCode } = said(flags, args);
    expect(exitCode).toBe(1);
    expect(text).toMatch(message);
    expect(text).toContain(`Usage: npm run ${name} --`);
    expect(said(flags, ["--fast"]).text).toMatch(/unknown option '--fast'/);
  });
});

it("bench:peers: refuses to resume what is kept in no file", () => {
  const { text, exitCode } = said(peers, [], () => optionsOf(["--resume"]));
  expect(exitCode).toBe(1);
  expect(text).toMatch(/'--resume' needs --json/);
});

it("--help names every option", () => {
  const { text, exitCode } = said(micro, ["--help"]);
  expect(exitCode).toBe(0);
  for (const option of ["--device", "--only", "--json", "--seconds"]) expect(text).toContain(option);
});

it("a pattern that matches nothing is told with what there is", () => {
  expect(() => casesMatching(/no such case/)).toThrow(/matches none of\n {2}tensor: matmul 128/);
  expect(() => tunable(undefined, /zzz/)).toThrow("matches none");
});
