import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const conditions = ["@dawnstrap/source", "module", "node", "development|production"];

// Decided once, here, so that every worker process draws from the same seed.
process.env.DAWNSTRAP_SEED ??= String(Date.now() & 0x7fffffff);
// Vulkan loaders and window-system code warn on every start where this is unset.
process.env.XDG_RUNTIME_DIR ??= tmpdir();

// Results of tuning on this machine must not decide what the tests run.
process.env.DAWNSTRAP_TUNE_CACHE ??= join(tmpdir(), "dawnstrap-untuned.json");

const report = process.env.DAWNSTRAP_REPORT;

/** The longest, by their minutes: begun last, one of them would keep a single core busy at the end. */
const longest = [
  "test/golden/byol-r50.test.ts",
  "test/runtime/agreement.test.ts",
  "test/byol/resume.test.ts",
  "test/conformance/ops.test.ts",
  "test/conformance/awkward.test.ts",
  "test/packages/tarball.test.ts",
  "test/byol/step.test.ts",
  "test/byol/cli.test.ts",
  "test/gradients/ops.test.ts",
  "test/byol/evaluate-cli.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((file) => moduleId.endsWith(file));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["@dawnstrap/source", "node"] } },
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      // Tests beside the sources change nothing outside themselves, so that one process serves many files.
      {
        extends: true,
        test: { name: "packages", include: ["packages/*/src/**/*.test.ts"], isolate: false },
      },
      { extends: true, test: { name: "whole", include: ["test/**/*.test.ts"] } },
    ],
    environment: "node",
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: ["test/setup/announce.ts"],
    setupFiles: ["test/setup/properties.ts"],
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
  },
});
