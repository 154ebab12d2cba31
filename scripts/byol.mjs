// Runs `byol …` from a clean clone: builds what is out of date, then hands over, in the folder where npm was called.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const run = (script, args, options) => {
  const { status, signal } = spawnSync(
    process.execPath,
    [fileURLToPath(new URL(script, import.meta.url)), ...args],
    options,
  );
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
};
// What the build says goes to stderr: stdout is the command's.
run("build.mjs", [], { stdio: ["ignore", process.stderr, "inherit"] });
run("../packages/byol/dist/cli.js", process.argv.slice(2), {
  stdio: "inherit",
  cwd: process.env.INIT_CWD ?? process.cwd(),
});
