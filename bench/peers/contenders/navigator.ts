/** What browser libraries look for in Node: a `navigator`, with Dawn behind its `gpu` where they are to have one. */
export async function provideNavigator({ gpu, threads }: { gpu: boolean; threads: number }): Promise<void> {
  const navigator: Record<string, unknown> = {
    userAgent: "Node.js",
    platform: process.platform,
    hardwareConcurrency: threads,
  };
  if (gpu) {
    const { create, globals } = (await import("webgpu")) as { create(flags: string[]): GPU; globals: object };
    Object.assign(globalThis, globals);
    // The flags with which Dawnstrap opens it: validation on, as in a browser.
    navigator["gpu"] = create([]);
  }
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
}

/** The adapter's name, as the libraries get it. */
export async function adapterName(): Promise<string> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new Error("no WebGPU adapter");
  return adapter.info.description || adapter.info.device || "unnamed adapter";
}
