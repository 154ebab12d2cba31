#!/usr/bin/env node
// The command `byol`. It is no build's product, so that npm can link it in a clone that was never built: there it builds
// what is out of date before it runs. A published package holds no sources, and nothing to build.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

if (existsSync(new URL("../src", import.meta.url))) {
  const build = fileURLToPath(new URL("../../../scripts/build.mjs", import.meta.url));
  // What the build says goes to stderr: stdout is the command's.
  const { status } = spawnSync(process.execPath, [build], { stdio: ["ignore", process.stderr, "inherit"] });
  if (status !== 0) process.exit(status ?? 1);
}
// In this process, so that signals reach the run itself.
await import(new URL("../dist/cli.js", import.meta.url).href);
