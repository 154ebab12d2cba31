/** Dispatch sizes: one logical dimension of workgroups, folded into two or three where it is longer than the limit. */
import type { WgslLimits } from "./types.js";

export interface Grid {
  readonly workgroups: readonly [number, number, number];
  /** WGSL for the logical workgroup number, given `@builtin(workgroup_id) group: vec3<u32>`. */
  readonly id: string;
  /** Whether `id` may reach past the last group, so that the kernel must check. */
  readonly overshoots: boolean;
}

export function grid(groups: number, limits: WgslLimits): Grid {
  const max = limits.maxWorkgroupsPerDimension;
  const z = Math.max(1, Math.ceil(groups / (max * max)));
  const y = Math.ceil(Math.ceil(groups / z) / max);
  const x = Math.max(1, Math.ceil(groups / (y * z)));
  const id =
    z > 1 ? `(group.z * ${y}u + group.y) * ${x}u + group.x` : y > 1 ? `group.y * ${x}u + group.x` : "group.x";
  return { workgroups: [x, Math.max(1, y), z], id, overshoots: x * y * z !== groups };
}

export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);
