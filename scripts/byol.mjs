// Runs `byol …` from a clean clone: builds what is out of date, then hands over, in the folder where npm was called.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

// What the build says goes to stderr: stdout is the command's.
const build = fileURLToPath(new URL("build.mjs", import.meta.url));
const { status } = spawnSync(process.execPath, [build], { stdio: ["ignore", process.stderr, "inherit"] });
if (status !== 0) process.exit(status ?? 1);
if (process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
// In this process, so that signals reach the run itself.
await import(new URL("../packages/byol/dist/cli.js", import.meta.url).href);
