/** Map kernels in WGSL: one invocation computes one element of the iteration space. */
import type { DType, ScalarType } from "../../dtype.js";
import { evaluateBinary, evaluateBitcast, evaluateCast, evaluateUnary } from "../../expr/evaluate.js";
import { affineParts, type Expr, type Index, type Slot } from "../../expr/expr.js";
import { type Block, isLoop, type Loop, type Schedule, schedule } from "../../expr/schedule.js";
import type { MapKernel } from "../../graph/program.js";
import { stridesOf } from "../../shape.js";
import { ceilDiv, grid } from "./grid.js";
import { f32Bits, literal } from "./literal.js";
import { binaryText, unaryText } from "./operators.js";
import type { WgslKernel, WgslLimits } from "./types.js";

const elementType: Record<DType, string> = {
  float32: "f32",
  int32: "i32",
  uint32: "u32",
  uint8: "u32",
  bool: "u32",
};

/** Several 8-lane vectors for llvmpipe, two to four subgroups for a GPU. */
const groupSize = 64;

export function compileExpression(kernel: MapKernel, limits: WgslLimits): WgslKernel {
  const { axes, outputs, reads } = kernel;
  const extents = axes.map((a) => a.extent);
  const total = extents.reduce((n, d) => n * d, 1);
  const places = new Map<Slot, Place>();
  reads.forEach((slot, k) => {
    places.set(slot, { name: `b${k}`, atomic: false });
  });
  const bytes = outputs.map((o) => o.slot.dtype === "uint8");
  // Four bytes make a word: one invocation computes four neighbours where the outputs run along the iteration space.
  const packed = outputs.map((o, k) => bytes[k]! && isIdentity(o.index, axes));
  outputs.forEach((o, k) => {
    places.set(o.slot, { name: `b${reads.length + k}`, atomic: bytes[k]! && !packed[k] });
  });

  const declarations = [...reads, ...outputs.map((o) => o.slot)].map((slot, k) => {
    const { atomic } = places.get(slot)!;
    const type = atomic ? "atomic<u32>" : elementType[slot.dtype];
    const access = k < reads.length ? "read" : "read_write";
    return `@group(0) @binding(${k}) var<storage, ${access}> b${k}: array<${type}>;`;
  });

  const perInvocation = packed.some(Boolean) ? 4 : 1;
  const invocations = ceilDiv(total, perInvocation);
  const g = grid(ceilDiv(invocations, groupSize), limits);
  const emitter = new Emitter(places, schedule(outputs.flatMap((o) => [o.index, o.value])));
  const element = emitter.element(axes, outputs, packed);
  const guard =
    invocations % groupSize === 0 && !g.overshoots ? [] : [`if (item >= ${invocations}u) { return; }`];
  const body =
    perInvocation === 1
      ? ["let flat = item;", ...element]
      : [
          ...outputs.flatMap((_, k) => (packed[k] ? [`var word${k} = 0u;`] : [])),
          "for (var q = 0u; q < 4u; q++) {",
          "let flat = item * 4u + q;",
          ...(total % 4 === 0 ? [] : [`if (flat >= ${total}u) { break; }`]),
          ...element,
          "}",
          ...outputs.flatMap((o, k) => (packed[k] ? [`${places.get(o.slot)!.name}[item] = word${k};`] : [])),
        ];
  const source = [
    ...declarations,
    ...emitter.globals,
    `@compute @workgroup_size(${groupSize})`,
    "fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {",
    `let item = (${g.id}) * ${groupSize}u + lane;`,
    ...guard,
    ...body,
    "}",
  ].join("\n");
  return { source, workgroups: g.workgroups };
}

interface Place {
  readonly name: string;
  /** Bytes that are scattered: neighbours in a word belong to other invocations. */
  readonly atomic: boolean;
}

/** Whether the index is the row-major position in the iteration space. */
function isIdentity(index: Expr, axes: readonly Index[]): boolean {
  const { terms, offset } = affineParts(index);
  if (offset !== 0) return false;
  const strides = stridesOf(axes.map((a) => a.extent));
  const coefficient = new Map<Expr, number>(terms);
  const matches = axes.every((a, k) => a.extent === 1 || coefficient.get(a) === strides[k]);
  return matches && terms.every(([t]) => axes.some((a) => a === t));
}

class Emitter {
  readonly globals: string[] = [];
  private readonly names = new Map<Expr, string>();
  private readonly constants = new Map<Expr, number>();
  /** Lines of the open scopes, outermost first. */
  private readonly scopes: string[][] = [];
  private readonly special = new Map<string, string>();
  private counter = 0;

  constructor(
    private readonly places: ReadonlyMap<Slot, Place>,
    private readonly plan: Schedule,
  ) {}

  /** Computes and stores the element `flat`; values come before any store, since an output may be updated in place. */
  element(axes: readonly Index[], outputs: MapKernel["outputs"], packed: readonly boolean[]): string[] {
    const lines: string[] = [];
    this.scopes.push(lines);
    const strides = stridesOf(axes.map((a) => a.extent));
    axes.forEach((axis, k) => {
      const quotient = strides[k] === 1 ? "flat" : `flat / ${strides[k]}u`;
      this.names.set(axis, `a${k}`);
      lines.push(`let a${k} = i32(${k === 0 ? quotient : `(${quotient}) % ${axis.extent}u`});`);
    });
    this.block(this.plan.top);
    outputs.forEach((o, k) => {
      const { name, atomic } = this.places.get(o.slot)!;
      const value = this.text(o.value);
      const index = this.text(o.index);
      if (packed[k]) lines.push(`word${k} |= (${value} & 255u) << (q * 8u);`);
      else if (atomic) {
        lines.push(
          `let at${k} = u32(${index});`,
          `atomicAnd(&${name}[at${k} >> 2u], ~(255u << ((at${k} & 3u) * 8u)));`,
          `atomicOr(&${name}[at${k} >> 2u], (${value} & 255u) << ((at${k} & 3u) * 8u));`,
        );
      } else lines.push(`${name}[${index}] = ${o.slot.dtype === "bool" ? `u32(${value})` : value};`);
    });
    this.scopes.pop();
    return lines;
  }

  private block(block: Block): void {
    for (const step of block.steps) {
      if (isLoop(step)) this.loop(step);
      else if (step.kind === "foldResult") this.names.set(step, this.text(step.fold.states[step.k]!));
      else if (!this.folded(step)) this.define(step, this.compute(step));
    }
  }

  private define(e: Expr, text: string): void {
    const name = `v${this.counter++}`;
    this.names.set(e, name);
    this.scopes.at(-1)!.push(`let ${name} = ${text};`);
  }

  private loop({ fold, body }: Loop): void {
    const outer = this.scopes.at(-1)!;
    const id = this.counter++;
    fold.states.forEach((s, k) => {
      this.names.set(s, `s${id}_${k}`);
      outer.push(`var s${id}_${k} = ${this.text(fold.init[k]!)};`);
    });
    this.names.set(fold.index, `i${id}`);
    const lines: string[] = [];
    this.scopes.push(lines);
    this.block(body);
    // A next state may be another's old one, so all are read before any is written.
    const next = fold.next.map((e, k) => {
      if (e.kind !== "state" || e === fold.states[k]) return this.text(e);
      lines.push(`let n${id}_${k} = ${this.text(e)};`);
      return `n${id}_${k}`;
    });
    fold.states.forEach((s, k) => {
      if (fold.next[k] !== s) lines.push(`${this.text(s)} = ${next[k]};`);
    });
    this.scopes.pop();
    outer.push(`for (var i${id} = 0i; i${id} < ${fold.index.extent}i; i${id}++) {`, ...lines, "}");
  }

  /** Operators on constants alone are computed here: in WGSL they are constant expressions, where overflow is an error. */
  private folded(e: Expr): boolean {
    const value = this.constantOf(e);
    if (value !== undefined) this.constants.set(e, e.type === "f32" ? Math.fround(value) : value);
    return value !== undefined;
  }

  private constantOf(e: Expr): number | undefined {
    const known = (x: Expr): number | undefined => (x.kind === "const" ? x.value : this.constants.get(x));
    if (e.kind === "unary" || e.kind === "cast" || e.kind === "bitcast") {
      const x = known(e.x);
      if (x === undefined) return undefined;
      if (e.kind === "unary") return evaluateUnary(e.fn, e.type, x);
      return (e.kind === "cast" ? evaluateCast : evaluateBitcast)(e.x.type, e.type, x);
    }
    if (e.kind === "binary") {
      const a = known(e.a);
      const b = known(e.b);
      return a === undefined || b === undefined ? undefined : evaluateBinary(e.fn, e.a.type, a, b);
    }
    if (e.kind === "select") {
      const cond = known(e.cond);
      return cond === undefined ? undefined : known(cond ? e.a : e.b);
    }
    if (e.kind === "affine") {
      const terms = e.terms.map(([t]) => known(t));
      if (terms.some((t) => t === undefined)) return undefined;
      return e.terms.reduce((sum, [, c], k) => (sum + Math.imul(terms[k]!, c)) | 0, e.offset);
    }
    return undefined;
  }

  private compute(e: Expr): string {
    switch (e.kind) {
      case "affine":
        return this.affine(e.terms, e.offset);
      case "load":
        return this.load(e.slot, this.text(e.index));
      case "unary":
        return unaryText(e, this.text(e.x));
      case "binary":
        return binaryText(e, this.text(e.a), this.text(e.b));
      case "select":
        return `select(${this.text(e.b)}, ${this.text(e.a)}, ${this.text(e.cond)})`;
      case "cast":
        return `${e.type}(${this.text(e.x)})`;
      case "bitcast":
        return `bitcast<${e.type}>(${this.text(e.x)})`;
      default:
        throw new Error(`internal: no WGSL for ${e.kind}`);
    }
  }

  /** The sum's parts that stand still in an inner loop are added up outside of it. */
  private affine(terms: readonly (readonly [Expr, number])[], offset: number): string {
    const byDepth = new Map<number, string[]>();
    for (const [t, c] of terms) {
      const text = this.text(t);
      const depth = this.plan.depthOf(t);
      const term = c === 1 ? text : c === -1 ? `(-${text})` : `${text} * ${literal(c, "i32")}`;
      byDepth.set(depth, [...(byDepth.get(depth) ?? []), term]);
    }
    const depths = [...byDepth.keys()].sort((a, b) => a - b);
    let sum = offset === 0 ? [] : [literal(offset, "i32")!];
    for (const [k, depth] of depths.entries()) {
      sum.push(...byDepth.get(depth)!);
      if (k === depths.length - 1) break;
      if (sum.length > 1) {
        const name = `v${this.counter++}`;
        this.scopes[depth]!.push(`let ${name} = ${sum.join(" + ")};`);
        sum = [name];
      }
    }
    return sum.join(" + ");
  }

  private load(slot: Slot, index: string): string {
    const { name, atomic } = this.places.get(slot)!;
    if (slot.dtype === "uint8") {
      const word = atomic ? `atomicLoad(&${name}[u32(${index}) >> 2u])` : `${name}[u32(${index}) >> 2u]`;
      return `(${word} >> ((u32(${index}) & 3u) * 8u)) & 255u`;
    }
    return slot.dtype === "bool" ? `${name}[${index}] != 0u` : `${name}[${index}]`;
  }

  private text(e: Expr): string {
    if (e.kind === "const") return this.literal(e.value, e.type);
    const value = this.constants.get(e);
    if (value !== undefined) return this.literal(value, e.type);
    const name = this.names.get(e);
    if (name === undefined) throw new Error(`internal: ${e.kind} ${e.id} is used outside of its scope`);
    return name;
  }

  private literal(value: number, type: ScalarType): string {
    const text = literal(value, type);
    if (text !== undefined) return text;
    const bits = Number.isNaN(value) ? 0x7fc00000 : f32Bits(value);
    const key = String(bits);
    let name = this.special.get(key);
    if (name === undefined) {
      name = `bits${this.special.size}`;
      this.special.set(key, name);
      this.globals.push(`var<private> ${name}: u32 = ${bits}u;`);
    }
    return `bitcast<f32>(${name})`;
  }
}
