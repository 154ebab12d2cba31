/** Changes of JSON values, wherever in them. */
import type { Draws } from "./draws.js";

type Json = { [key: string]: unknown } | unknown[];

/** Every object and list in a value, itself among them. */
function* inside(value: unknown): Generator<Json> {
  if (typeof value !== "object" || value === null) return;
  yield value as Json;
  for (const below of Object.values(value)) yield* inside(below);
}

function other(value: unknown, draws: Draws): unknown {
  if (typeof value === "number" && draws.once(2)) return draws.number(value);
  if (typeof value === "string" && draws.once(2)) return draws.word(value);
  const odd = [
    null,
    true,
    "",
    "abc",
    -1,
    0,
    1e308,
    0.5,
    [],
    {},
    [[[]]],
    [null],
    "../../x",
    "x".repeat(50_000),
  ];
  return draws.pick<unknown>(odd);
}

/** One value is another, is gone, comes twice or has a name that nothing has. */
export function changeJson(root: unknown, draws: Draws): void {
  const at = draws.pick([...inside(root)]);
  if (at === undefined) return;
  const keys = Object.keys(at);
  const key = draws.pick(keys);
  const among = at as Record<string, unknown>;
  if (key === undefined || draws.once(8))
    among[draws.pick(["extra", "toString", "constructor", "9"])] = other(1, draws);
  else if (draws.once(4)) delete among[key];
  else among[key] = draws.once(6) ? structuredClone(root) : other(among[key], draws);
}

/** Text that is no JSON, or more of it than should be. */
export const brokenJson = (text: string, draws: Draws): string =>
  draws.pick([
    text.slice(0, draws.below(text.length)),
    `${text}${text}`,
    `${"[".repeat(100_000)}`,
    `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
    `{"preset":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    text.replace(/\d+/, "1e999"),
    text.replace(/"/, "'"),
    text.replaceAll("\n", "\u0000"),
    `\uFEFF${text}`,
    "null",
    "[]",
    '"x"',
  ]);
