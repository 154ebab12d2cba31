/** The tests' side of a page: bundles a script for browsers, serves it from this machine, and opens Chromium on it. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** SwiftShader, the software adapter that comes with Chromium; it has no GPU of its own to find. */
export const swiftShader = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

export interface Site {
  /** Opens a page of its own; those under "/isolated/" may share memory with workers. */
  open(path: string): Promise<Page>;
  close(): Promise<void>;
}

/** @param script a file from the root of the repository */
export async function serve(script: string, args: readonly string[] = []): Promise<Site> {
  const bundled = await build({
    entryPoints: [`${root}${script}`],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@dawnstrap/source"],
    // Packages say that they are free of side effects; the ops that they register are wanted all the same.
    ignoreAnnotations: true,
    write: false,
    logLevel: "error",
  });
  return host(new Map([["script.js", bundled.outputFiles[0]!.contents]]), args);
}

const shell = '<!doctype html><meta charset="utf-8"><script type="module" src="./script.js"></script>';

/** @param files by their path; where there is no index.html, the page runs `script.js` */
export async function host(
  files: ReadonlyMap<string, Uint8Array>,
  args: readonly string[] = [],
): Promise<Site> {
  const server = createServer((request, response) => {
    const url = request.url ?? "/";
    if (url.startsWith("/isolated")) {
      response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    }
    const isScript = url.endsWith(".js");
    response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
    const file = files.get(isScript ? url.replace(/^\/(isolated\/|plain\/)?/, "") : "index.html");
    response.end(file ?? (isScript ? "" : shell));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const browser: Browser = await chromium.launch({
    executablePath: executable(),
    args: ["--no-sandbox", "--disable-background-networking", ...args],
  });
  return {
    async open(path) {
      const page = await browser.newPage();
      const broken = new Promise<never>((_, fail) => page.on("pageerror", fail));
      const { port } = server.address() as AddressInfo;
      await page.goto(`http://127.0.0.1:${port}${path}`);
      await Promise.race([page.waitForFunction("globalThis.page"), broken]);
      broken.catch(() => {});
      return page;
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/** Of the Chromium to start. */
export function executable(): string {
  const places = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"];
  const found = places.find((path) => path && existsSync(path));
  if (!found)
    throw new Error(
      "no Chromium found; run node scripts/adapter.mjs as root, or set CHROMIUM to the path of one",
    );
  return found;
}
