// The commands that the READMEs show in blocks of code.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const readmes = ["README.md", "packages/byol/README.md"];

/**
 * Lines of blocks that begin with npm or npx, with their file: of fenced blocks up to a `#`, of indented ones the words
 * and the options; wider gaps part these from what is said of them.
 */
export function commandsOf(text) {
  const commands = [];
  let fence = "";
  for (const line of text.split("\n")) {
    const mark = /^```(\w*)/.exec(line);
    if (mark) fence = fence === "" ? mark[1] || "text" : "";
    else if (["sh", "bash", "shell"].includes(fence) && /^(npm|npx) /.test(line))
      commands.push(line.split(/\s+#\s/)[0].trim());
    else if (fence === "" && /^ {4}(npm|npx) /.test(line)) commands.push(withoutSaying(line.trim()));
  }
  return commands;
}

function withoutSaying(line) {
  const [first, ...others] = line.split(/\s{2,}/);
  const end = others.findIndex((part) => !part.startsWith("--"));
  return [first, ...(end < 0 ? others : others.slice(0, end))].join(" ");
}

/** Of every README, in order. */
export const shownCommands = () =>
  readmes.flatMap((file) =>
    commandsOf(readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), "utf8")).map(
      (command) => ({ file, command }),
    ),
  );
