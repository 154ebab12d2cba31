/** The commands that READMEs show, as scripts/readme-commands.mjs finds them; it runs them in a fresh clone. */
import { expect, it } from "vitest";
import { commandsOf, shownCommands } from "../../scripts/readme/commands.mjs";
import { rows, shorter } from "../../scripts/readme/shorter.mjs";

const shown = shownCommands().map(({ command }) => command);

it("are lines of blocks, without what is said of them", () => {
  const text = [
    ...["```sh", "npm ci   # installs", "other", "```", "```ts", "npm x", "```", "npm y"],
    ...["    npx a b     --c D e --f g      h, or --i", "    npx j"],
  ];
  expect(commandsOf(text.join("\n"))).toEqual(["npm ci", "npx a b --c D e --f g", "npx j"]);
});

it("are found in the READMEs, every protocol among them", () => {
  expect(shown).toContain("npm run pretrain");
  for (const name of ["pretrain", "presets", "views", "report", "resume", "plan", "embed", "search"])
    expect(shown.some((command) => command.startsWith(`npx byol ${name}`))).toBe(true);
  expect(shown.filter((command) => command.startsWith("npx byol evaluate "))).toHaveLength(6);
});

it("keep their words where they are shortened, but for what a row replaces; no row is left over", () => {
  for (const row of rows)
    expect(shown.filter((command) => row.of.test(command)).length, row.why).toBeGreaterThan(0);
  for (const command of shown) {
    const { words } = shorter(command);
    const { instead } = rows.find(({ of }) => of.test(command)) ?? {};
    const kept = command.split(" ").filter((word) => !/DIR\b/.test(word) && !instead?.[0].includes(word));
    for (const word of kept) expect(`${words} `, command).toMatch(word.split("/")[0]);
  }
});
