/** Law 1: imports between the rooms of a package point down one written list, and nothing imports in a circle. */
import { describe, expect, it } from "vitest";
import { circlesOf } from "./circles.js";
import { circles, upward } from "./exceptions.js";
import { order } from "./order.js";
import { graphOf, packages } from "./sources.js";

/** The room of a file: the longest entry of the list that it lies below. */
export function roomOf(rooms: readonly string[], file: string): string | undefined {
  return rooms
    .filter((room) => file === room || file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

describe.each(packages)("%s", (name) => {
  const rooms = order[name];
  const graph = graphOf(name);

  it("has a room for every file, and a file for every room", () => {
    const found = [...graph.keys()].map((file) => [file, roomOf(rooms, file)] as const);
    expect(found.filter(([, room]) => room === undefined)).toEqual([]);
    const used = new Set(found.map(([, room]) => room));
    expect(rooms.filter((room) => !used.has(room))).toEqual([]);
  });

  it("imports downwards only", () => {
    const against = new Set<string>();
    for (const [file, imported] of graph) {
      const from = roomOf(rooms, file)!;
      for (const target of imported) {
        const to = roomOf(rooms, target)!;
        if (rooms.indexOf(to) > rooms.indexOf(from)) against.add(`${from} → ${to}`);
      }
    }
    expect([...against].sort()).toEqual([...(upward[name] ?? [])].sort());
  });

  it("imports in no circle", () => {
    expect(circlesOf(graph).flat().sort()).toEqual([...(circles[name] ?? [])].sort());
  });
});

describe("the laws' own tools", () => {
  it("take the longest entry for a file's room", () => {
    expect(roomOf(["ops", "ops/shared"], "ops/shared/apply.ts")).toBe("ops/shared");
    expect(roomOf(["ops", "ops/shared"], "ops/index.ts")).toBe("ops");
    expect(roomOf(["ops"], "opsy/index.ts")).toBeUndefined();
  });

  it("find every circle", () => {
    const graph = new Map([
      ["a", ["b"]],
      ["b", ["c", "d"]],
      ["c", ["a"]],
      ["d", []],
      ["e", ["e"]],
    ]);
    expect(circlesOf(graph)).toEqual([["a", "b", "c"], ["e"]]);
  });
});
