/** Changing fields of a preset, by path, and checking the whole afterwards. */
import { UsageError } from "../errors.js";
import { type Preset, parsePreset } from "../presets/preset.js";
import { checkDepth } from "./depth.js";
import { checkPath } from "./paths.js";

/** A field's path and its new value. */
export type Assignment = readonly [path: string, value: unknown];

type Node = Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;
const isObject = (value: unknown): value is Node => isNode(value) && !Array.isArray(value);

/** `views.0.flip=0.5`: the value is JSON where it parses as such, else the text itself. */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`set: "${text}" is not PATH=VALUE, such as optimizer.learningRate=0.3`);
  const path = text.slice(0, at);
  let value: unknown = text.slice(at + 1);
  try {
    value = JSON.parse(text.slice(at + 1));
  } catch {
    // A text.
  }
  checkDepth(value, `set: the value of "${path}"`);
  return [path, value];
}

/**
 * The assignments that a part of a preset stands for. Objects are merged field by field, lists of objects element by
 * element; other lists are replaced, and so is an optimiser of another kind or another method, whose fields differ.
 */
export function assignmentsOf(part: unknown, preset: Preset): Assignment[] {
  const flatten = (value: unknown, old: unknown, path: string): Assignment[] => {
    const merges = isObject(value) || (Array.isArray(value) && value.length > 0 && value.every(isObject));
    const tag = path === "method" ? "name" : "kind";
    const sameKind = !isObject(value) || !isObject(old) || (value[tag] ?? old[tag]) === old[tag];
    if (path && !(merges && sameKind)) return [[path, value]];
    return Object.entries(value as Node).flatMap(([key, inner]) =>
      flatten(inner, isNode(old) ? old[key] : undefined, path ? `${path}.${key}` : key),
    );
  };
  return flatten(part, preset, "");
}

/** The preset with its fields changed in order. Throws UsageError naming an unknown field or a wrong value. */
export function override(preset: Preset, assignments: readonly Assignment[]): Preset {
  const changed = structuredClone(preset);
  for (const [path, value] of assignments) {
    checkPath(path);
    const keys = path.split(".");
    const last = keys.pop()!;
    const parent = keys.reduce<unknown>((node, key) => (isNode(node) ? node[key] : undefined), changed);
    if (!isNode(parent)) throw new UsageError(`set: ${keys.join(".")} holds no fields here, so not ${path}`);
    parent[last] = value;
  }
  return parsePreset(changed);
}
