/**
 * Files, which only Node has: `node/platform.ts` reads and writes them, `web/platform.ts` says what to use instead.
 * `#platform` in package.json names the one that fits.
 */
export interface Platform {
  /** All bytes of a file. */
  readFile(path: string): Promise<Uint8Array>;
  /** Writes a file whole or not at all; see `writeWhole` of @dawnstrap/tensor/node. */
  writeWhole(path: string, parts: readonly Uint8Array[]): Promise<void>;
}
