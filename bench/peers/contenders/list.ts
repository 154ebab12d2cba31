/** Who takes part, and how each one's process is started. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export type DeviceName = "cpu" | "webgpu";

export interface ContenderSpec {
  readonly name: string;
  readonly device: DeviceName;
  /** JavaScript peers are what `ratio_to_best_peer` compares with; native libraries are the far mark. */
  readonly role: "ours" | "peer" | "native";
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const child = fileURLToPath(new URL("../child.ts", import.meta.url));
const node = (module: string): string[] => [
  process.execPath,
  "--conditions=@dawnstrap/source",
  "--import",
  "tsx",
  child,
  module,
];
const threaded = { DAWNSTRAP_PEER_THREADS: "1" };

/** The contenders on a device. The `-mt` ones run threads that their libraries do not start in Node by themselves. */
export function contendersOn(device: DeviceName): ContenderSpec[] {
  const spec = (
    name: string,
    role: ContenderSpec["role"],
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): ContenderSpec => ({ name, device, role, command, env });
  if (device === "webgpu")
    return [
      spec("dawnstrap", "ours", node("dawnstrap")),
      spec("tfjs-webgpu", "peer", node("tfjs")),
      spec("jax-webgpu", "peer", node("jax")),
    ];
  const python = pythonWithTorch();
  return [
    spec("dawnstrap", "ours", node("dawnstrap")),
    spec("tfjs-wasm", "peer", node("tfjs")),
    spec("tfjs-wasm-mt", "peer", node("tfjs"), threaded),
    spec("jax-wasm", "peer", node("jax")),
    spec("jax-wasm-mt", "peer", node("jax"), threaded),
    ...(python
      ? [spec("pytorch", "native", [python, fileURLToPath(new URL("pytorch.py", import.meta.url))])]
      : []),
  ];
}

function pythonWithTorch(): string | undefined {
  return ["python3", "/usr/bin/python3"].find(
    (python) => spawnSync(python, ["-c", "import torch, numpy"], { stdio: "ignore" }).status === 0,
  );
}
