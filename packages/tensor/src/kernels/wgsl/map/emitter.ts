/** Expressions as WGSL statements. */
import type { ScalarType } from "../../../dtype.js";
import { evaluateBinary, evaluateBitcast, evaluateCast, evaluateUnary } from "../../../expr/evaluate.js";
import { type Affine, childrenOf, type Expr, type Fold, type Index, type Slot } from "../../../expr/expr.js";
import { type Block, isLoop, type Loop, postOrder, type Schedule, schedule } from "../../../expr/schedule.js";
import type { MapKernel } from "../../../program.js";
import { f32Bits, literal } from "./literal.js";
import { binaryText, unaryText } from "./operators.js";
import type { WgslLimits } from "../types.js";

export interface Place {
  readonly name: string;
  /** Bytes that are scattered: neighbours in a word belong to other invocations. */
  readonly atomic: boolean;
}

/** Writes the statements that compute an element of the iteration space. */
export class Emitter {
  readonly globals: string[] = [];
  /** Statements that hold for every element; they stand before `element`'s. */
  readonly invariants: string[] = [];
  /** Whether a statement uses `opaque`, an i32 of value 1 that compilers cannot know. */
  needsOpaque = false;
  private readonly varying = new Set<Expr>();
  private readonly plan: Schedule;
  private readonly names = new Map<Expr, string>();
  private readonly constants = new Map<Expr, number>();
  /** Lines of the open scopes, outermost first. */
  private readonly scopes: string[][] = [];
  private readonly special = new Map<string, string>();
  /** Partial sums by expression and depth, and the open scope that they stand in. */
  private readonly partial = new Map<string, { scope: string[]; name: string }>();
  private counter = 0;

  constructor(
    private readonly places: ReadonlyMap<Slot, Place>,
    private readonly outputs: MapKernel["outputs"],
    private readonly limits: WgslLimits,
  ) {
    const roots = outputs.flatMap((o) => [o.index, o.value]);
    this.plan = schedule(roots);
    for (const e of postOrder(roots)) {
      const own = e.kind === "index" || e.kind === "state" || e.kind === "foldResult";
      // What is updated in place must be read where it is about to be written.
      const updated = e.kind === "load" && outputs.some((o) => o.slot === e.slot);
      if (own || updated || childrenOf(e).some((c) => this.varying.has(c))) this.varying.add(e);
    }
  }

  /** Computes and stores the element `flat`; values come before any store, since an output may be updated in place. */
  element(axes: readonly Index[], packed: readonly boolean[]): string[] {
    const lines: string[] = [];
    this.scopes.push(lines);
    let rest = "flat";
    for (let k = axes.length - 1; k > 0; k--) {
      const { extent } = axes[k]!;
      lines.push(`let rest${k} = ${rest} / ${extent}u;`, `let a${k} = i32(${rest} - rest${k} * ${extent}u);`);
      rest = `rest${k}`;
    }
    if (axes.length > 0) lines.push(`let a0 = i32(${rest});`);
    axes.forEach((axis, k) => {
      this.names.set(axis, `a${k}`);
    });
    this.block(this.plan.top);
    this.outputs.forEach((o, k) => {
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
    const lines = this.varying.has(e) ? this.scopes.at(-1)! : this.invariants;
    lines.push(`let ${name} = ${text};`);
  }

  private loop({ fold, body }: Loop): void {
    const outer = this.scopes.at(-1)!;
    const id = this.counter++;
    fold.states.forEach((s, k) => {
      this.names.set(s, `s${id}_${k}`);
      outer.push(`var s${id}_${k} = ${this.text(fold.init[k]!)};`);
    });
    const { extent } = fold.index;
    const turns = unrolled(extent, body, this.limits);
    const whole = extent - (extent % turns);
    const turn = (name: string, value: string): string[] => {
      this.names.set(fold.index, name);
      return [...(name === value ? [] : [`let ${name} = ${value};`]), ...this.turn(fold, body, id)];
    };
    const alone = (i: number): string[] => ["{", ...turn(`k${id}_${i}`, `${i}i`), "}"];
    if (whole > turns) {
      const lines = Array.from({ length: turns }, (_, u) =>
        turn(u ? `k${id}_${u}` : `k${id}`, u ? `k${id} + ${u}i` : `k${id}`),
      );
      const end = this.limits.hardware ? `${whole}i` : `${whole}i * opaque`;
      this.needsOpaque ||= !this.limits.hardware;
      outer.push(`for (var k${id} = 0i; k${id} < ${end}; k${id} += ${turns}i) {`, ...lines.flat(), "}");
    } else for (let i = 0; i < whole; i++) outer.push(...alone(i));
    for (let i = whole; i < extent; i++) outer.push(...alone(i));
  }

  /** One turn of a loop: its body, then the new states. */
  private turn(fold: Fold, body: Block, id: number): string[] {
    const lines: string[] = [];
    this.scopes.push(lines);
    this.block(body);
    const unique = this.counter++;
    // A next state may be another's old one, so all are read before any is written.
    const next = fold.next.map((e, k) => {
      if (e.kind !== "state" || e === fold.states[k]) return this.text(e);
      lines.push(`let n${unique}_${k} = ${this.text(e)};`);
      return `n${unique}_${k}`;
    });
    fold.states.forEach((s, k) => {
      if (fold.next[k] !== s) lines.push(`s${id}_${k} = ${next[k]};`);
    });
    this.scopes.pop();
    return lines;
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
        return this.affine(e);
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

  /** The sum's parts that stand still in an inner loop are added up outside of it, once. */
  private affine({ id, terms, offset }: Affine): string {
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
      if (k === depths.length - 1 || sum.length === 1) continue;
      const scope = this.scopes[depth]!;
      const key = `${id} at ${depth}`;
      let name = this.partial.get(key)?.scope === scope ? this.partial.get(key)!.name : undefined;
      if (name === undefined) {
        name = `v${this.counter++}`;
        scope.push(`let ${name} = ${sum.join(" + ")};`);
        this.partial.set(key, { scope, name });
      }
      sum = [name];
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

/**
 * Turns of a loop that stand in its body at once. llvmpipe's code for a single load is eight branches, so Mesa's own
 * idea of which loops to unroll makes kernels that compile for minutes; and where it knows that a loop runs, it peels
 * off the first turn and copies the states twice in the others. Hence it is told no bounds, and this much is unrolled here.
 */
function unrolled(extent: number, body: Block, limits: WgslLimits): number {
  if (limits.hardware || body.steps.length > 24 || body.steps.some(isLoop)) return 1;
  return extent <= 4 ? extent : extent >= 16 ? 4 : 1;
}
