import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { openDigits } from "./digits.js";
import type { ImageSet } from "../source.js";

const black = [0, 0, 0] as const;

async function fingerprints(set: ImageSet): Promise<string[]> {
  const out: string[] = [];
  for (let i = 0; i < set.length; i++)
    out.push(
      createHash("md5")
        .update((await set.read(i))!)
        .digest("hex"),
    );
  return out;
}

it("holds out a fifth of every class, and no image stands on both sides", async () => {
  const source = await openDigits({ stored: 28, channels: 1, background: black });
  expect(source.train.length + source.heldOut.length).toBe(10_000);
  for (let digit = 0; digit < 10; digit++) {
    const count = (set: ImageSet) => set.labels!.filter((label) => label === digit).length;
    const share = count(source.heldOut) / (count(source.heldOut) + count(source.train));
    expect(share).toBeGreaterThan(0.195);
    expect(share).toBeLessThan(0.205);
  }
  const seen = new Set(await fingerprints(source.train));
  expect((await fingerprints(source.heldOut)).filter((print) => seen.has(print))).toEqual([]);
});

it("gives 28×28 pixels, and three equal channels where three are asked for", async () => {
  const grey = await openDigits({ stored: 28, channels: 1, background: black });
  const colour = await openDigits({ stored: 28, channels: 3, background: black });
  const one = (await grey.train.read(1234))!;
  const three = (await colour.train.read(1234))!;
  expect(one.length).toBe(28 * 28);
  expect(Math.max(...one)).toBeGreaterThan(200);
  expect([...three]).toEqual([...one].flatMap((v) => [v, v, v]));
});
