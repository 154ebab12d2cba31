import { expect, it } from "vitest";
import { Room } from "./room.js";

it("holds as many as fit, in their order, and one that is too large alone", async () => {
  const room = new Room(10);
  let [held, most] = [0, 0];
  const order: number[] = [];
  const visit = (bytes: number) =>
    room.hold(bytes, async () => {
      order.push(bytes);
      held += Math.min(bytes, 10);
      most = Math.max(most, held);
      await new Promise((next) => setImmediate(next));
      held -= Math.min(bytes, 10);
      if (bytes === 3) throw new Error("torn");
    });
  const visits = [6, 5, 4, 3, 25, 1, 2].map(visit);
  const ends = await Promise.allSettled(visits);
  expect(ends.map(({ status }) => status === "fulfilled")).toEqual([
    true,
    true,
    true,
    false,
    true,
    true,
    true,
  ]);
  expect(order).toEqual([6, 5, 4, 3, 25, 1, 2]);
  expect([held, most]).toEqual([0, 10]);
});
