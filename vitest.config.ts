import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const conditions = ["@dawnstrap/source", "module", "node", "development|production"];

// Decided once, here, so that every worker process draws from the same seed.
process.env.DAWNSTRAP_SEED ??= String(Date.now() & 0x7fffffff);
// Vulkan loaders and window-system code warn on every start where this is unset.
process.env.XDG_RUNTIME_DIR ??= tmpdir();

// Results of tuning on this machine must not decide what the tests run.
process.env.DAWNSTRAP_TUNE_CACHE ??= join(tmpdir(), "dawnstrap-untuned.json");

const report = process.env.DAWNSTRAP_REPORT;

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["@dawnstrap/source", "node"] } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
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
