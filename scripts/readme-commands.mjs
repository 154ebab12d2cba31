// Runs every command of the READMEs, one after the other, in the clone that this file lies in: `npm run readme-commands`.
// What would take long is shortened by options of its own (scripts/readme/shorter.mjs). A command that fails ends it.
//
//   node scripts/readme-commands.mjs [--list]
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { shownCommands } from "./readme/commands.mjs";
import { putFiles } from "./readme/files.mjs";
import { shorter } from "./readme/shorter.mjs";

const folder = fileURLToPath(new URL("../runs/readme/", import.meta.url));
const [option, ...others] = process.argv.slice(2);
if (others.length > 0 || (option !== undefined && option !== "--list")) {
  console.error("usage: npm run readme-commands -- [--list]");
  process.exit(2);
}

const commands = shownCommands().map(({ file, command }) => ({ file, command, ...shorter(command) }));
if (option === "--list") {
  for (const { file, command, words, why } of commands)
    console.log(`${file}: ${command}${why ? `\n    as ${words} (${why})` : ""}`);
  process.exit(0);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
let files = false;
for (const { file, command, words, why } of commands) {
  // The first commands install what the files are made with, and build it.
  if (!files && command.startsWith("npx ")) {
    await putFiles(folder);
    files = true;
  }
  console.log(`\n$ ${words}${why ? `\n  (${file}: ${command}; ${why})` : ""}`);
  const started = performance.now();
  const { status, signal } = spawnSync(words, { cwd: folder, shell: true, stdio: "inherit" });
  if (status !== 0) {
    console.error(`readme-commands: "${words}" of ${file} ended with ${signal ?? status}`);
    process.exit(1);
  }
  console.log(`  ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
console.log(`\nreadme-commands: all ${commands.length} ended with 0`);
