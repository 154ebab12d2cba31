/** The cpu device inside a browser: workers where the page is isolated, one thread where it is not. */
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const executable = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path && existsSync(path),
);
if (!executable)
  console.warn("no Chromium found (set CHROMIUM to its path): the cpu device is not tested in a browser");

/** What runs in the page: a chain of kernels of two families, on one thread and on as many as asked for. */
const program = `
import { openCpu } from "./packages/tensor/src/devices/cpu/index.ts";
import { conv } from "./packages/tensor/src/kernels/wasm/testing.ts";
globalThis.compute = async (options) => {
  const backend = await openCpu(options);
  const p = conv(8, [14, 14], [16, 16], [3, 3], { padding: [1, 1, 1, 1] });
  const sizes = [8 * 14 * 14 * 16, 9 * 16 * 16, 8 * 14 * 14 * 16];
  const blocks = sizes.map((n) => backend.allocate(4 * n));
  blocks.forEach((b, i) => backend.write(b, 0, Float32Array.from({ length: sizes[i] }, (_, k) => Math.sin(k + i))));
  const call = (reads, write) => ({
    key: "conv",
    spec: { family: "conv2d", params: p },
    bindings: [...reads, write].map((i) => ({
      memory: blocks[i], byteOffset: 0, bytes: 4 * sizes[i], dtype: "float32", access: i === write ? "write" : "read",
    })),
  });
  const prepared = await backend.prepare([call([0, 1], 2), call([2, 1], 0)]);
  for (let i = 0; i < 3; i++) prepared.run();
  const bytes = new Uint8Array(await backend.read(blocks[0], 0, 4 * sizes[0]));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const result = {
    isolated: globalThis.crossOriginIsolated,
    threads: backend.threads,
    description: backend.description,
    digest: Array.from(new Uint8Array(digest)).join(),
    finite: new Float32Array(bytes.buffer).every(Number.isFinite),
  };
  await backend.destroy();
  return result;
};
`;

interface Result {
  isolated: boolean;
  threads: number;
  description: string;
  digest: string;
  finite: boolean;
}

describe.skipIf(!executable)("the cpu device in Chromium", () => {
  let browser: Browser;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const require = createRequire(createRequire(import.meta.url).resolve("tsup"));
    const built = await (require("esbuild") as typeof import("esbuild")).build({
      stdin: { contents: program, resolveDir: root, loader: "ts" },
      bundle: true,
      format: "esm",
      platform: "browser",
      external: ["node:*"],
      conditions: ["@dawnstrap/source"],
      write: false,
    });
    server = createServer((request, response) => {
      if (request.url?.startsWith("/isolated")) {
        response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
        response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
      }
      const script = request.url?.endsWith(".js");
      response.setHeader("Content-Type", script ? "text/javascript" : "text/html");
      response.end(
        script
          ? built.outputFiles[0]!.contents
          : '<!doctype html><script type="module" src="./script.js"></script>',
      );
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath: executable!, args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function compute(path: string, options: object): Promise<Result> {
    const page = await browser.newPage();
    await page.goto(`${origin}${path}`);
    await page.waitForFunction("globalThis.compute");
    const result = await page.evaluate(`compute(${JSON.stringify(options)})`);
    await page.close();
    return result as Result;
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
});
