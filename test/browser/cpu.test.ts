/** The cpu device in Chromium: workers where the page is isolated, one thread where it is not. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Result } from "./cpu.page.js";
import { serve, type Site } from "./page.js";

let site: Site;
beforeAll(async () => {
  site = await serve("test/browser/cpu.page.ts");
});
afterAll(() => site?.close());

async function compute(path: string, options: { readonly threads?: number }): Promise<Result> {
  const page = await site.open(path);
  const result = await page.evaluate<Result>(`page.compute(${JSON.stringify(options)})`);
  await page.close();
  return result;
}

test("an isolated page gets worker threads, and the bits of one thread", async () => {
  const one = await compute("/isolated/", { threads: 1 });
  const three = await compute("/isolated/", { threads: 3 });
  expect(one).toMatchObject({ isolated: true, threads: 1, finite: true });
  expect(three).toMatchObject({ isolated: true, threads: 3, finite: true });
  expect(three.digest).toBe(one.digest);
});

test("any other page gets one thread over private memory", async () => {
  const plain = await compute("/plain/", {});
  expect(plain).toMatchObject({ isolated: false, threads: 1, finite: true });
  expect(plain.description).toContain("private memory");
});
