/** The loops of a product around its innermost one. */
import type { OuterLoop } from "./product.js";

export function nest(
  loops: readonly OuterLoop[],
  rows: readonly string[],
  inner: readonly string[],
): string[] {
  const heads = loops.flatMap((loop) => [
    `${loop.head} {`,
    ...(loop.common ?? []),
    ...rows.flatMap((p) => loop.row?.(p) ?? []),
  ]);
  return [...heads, ...inner, ...loops.map(() => "}")];
}
