/**
 * Writes the values of an expression: each node once, at the outermost loop level where its operands are known, as a
 * scalar or, where it differs between lanes, as vectors of four lanes.
 */
import type { ScalarType } from "../../../dtype.js";
import type { Binary, Expr, Fold, Index } from "../../../expr/expr.js";
import type { Dependencies } from "./analysis.js";
import type { Code, Func } from "../assembler/assembler.js";
import * as emit from "../assembler/instructions.js";
import { Addresses, type SlotInfo, type Values } from "./addresses.js";
import { byLane, divideVector } from "./division.js";
import { Loads } from "./loads.js";
import { Stores } from "./stores.js";
import { op } from "../assembler/opcodes.js";
import { Scope, type Value } from "../assembler/scope.js";

export class ValueWriter implements Values {
  readonly stores: Stores;
  private readonly loads: Loads;
  /** The scope in which a scalar local gets its value. */
  private readonly homes = new Map<number, Scope>();

  constructor(
    readonly func: Func,
    readonly deps: Dependencies,
    /** The axis of the lanes, if there is one, and what then differs between lanes. */
    readonly lane: Index | undefined,
    readonly varying: bigint,
    slots: ReadonlyMap<number, SlotInfo>,
  ) {
    const addresses = new Addresses(this, slots);
    this.loads = new Loads(this, addresses);
    this.stores = new Stores(this, addresses);
  }

  /** Tells that a local holds an axis's position in a scope. */
  setIndex(axis: Index, at: number, s: Scope): void {
    s.memo.set(axis, { kind: "scalar", at });
    this.homes.set(at, s);
  }

  value(e: Expr, s: Scope): Value {
    if (e.kind === "const") return { kind: "const", value: e.value };
    const home = s.home(this.deps.of(e));
    const key = e.kind === "foldResult" ? `fold${e.fold.id}.${e.k}` : e;
    const known = home.memo.get(key);
    if (known) return known;
    if (e.kind === "foldResult") {
      this.fold(e.fold, home);
      return home.memo.get(key)!;
    }
    const vectors = this.deps.of(e) & this.varying ? home.vectors : 0;
    const made = this.build(e, home, vectors);
    home.memo.set(key, made);
    if (made.kind === "scalar") this.homes.set(made.at, home);
    return made;
  }

  /** A value that does not differ between lanes. */
  scalar(e: Expr, s: Scope): Value {
    const v = this.value(e, s);
    if (v.kind === "vector") throw new Error("internal: a scalar was expected");
    return v;
  }

  pushScalar(c: Code, v: Value, type: "f32" | "i32" = "i32"): void {
    if (v.kind === "const") type === "f32" ? c.f32(v.value) : c.i32(v.value);
    else if (v.kind === "scalar") c.get(v.at);
    else throw new Error("internal: a scalar was expected");
  }

  /** The locals of a value as vectors; uniform values are spread over the lanes once, where they are computed. */
  lanes(v: Value, type: ScalarType, s: Scope): readonly number[] {
    if (v.kind === "vector") return v.at;
    let home = s;
    let key = `splat ${type} `;
    if (v.kind === "const") {
      home = s.home(0n);
      key += `${Object.is(v.value, -0) ? "-0" : v.value}`;
    } else {
      key += `local ${v.at}`;
      home = this.homes.get(v.at) ?? s;
    }
    let known = home.memo.get(key);
    if (known?.kind !== "vector") {
      const at = this.func.local("v128");
      const c = home.code;
      if (type === "bool") {
        c.i32(0);
        this.pushScalar(c, v);
        c.op(op.i32Sub, op.i32x4Splat);
      } else {
        this.pushScalar(c, v, type === "f32" ? "f32" : "i32");
        c.op(type === "f32" ? op.f32x4Splat : op.i32x4Splat);
      }
      c.set(at);
      known = { kind: "vector", at: [at] };
      home.memo.set(key, known);
    }
    return Array.from({ length: s.vectors }, () => (known as { at: readonly number[] }).at[0]!);
  }

  private local(v: Value, type: ScalarType, c: Code): number {
    if (v.kind === "scalar") return v.at;
    const wasm = type === "f32" ? "f32" : "i32";
    const at = this.func.local(wasm);
    this.pushScalar(c, v, wasm);
    c.set(at);
    return at;
  }

  /** Emits the instruction of one node into its home scope; `vectors` > 0 when its lanes differ. */
  private build(e: Expr, s: Scope, vectors: number): Value {
    const { func } = this;
    const c = s.code;
    switch (e.kind) {
      case "index": {
        if (e !== this.lane || s.lane === undefined) throw new Error("internal: index outside its loop");
        const at = Array.from({ length: vectors }, (_, u) => {
          const local = func.local("v128");
          c.get(s.lane!)
            .op(op.i32x4Splat)
            .v128([4 * u, 4 * u + 1, 4 * u + 2, 4 * u + 3])
            .op(op.i32x4Add)
            .set(local);
          return local;
        });
        return { kind: "vector", at };
      }
      case "affine":
        return this.affine(e, s, vectors);
      case "load":
        return this.loads.load(e, s, vectors);
      case "binary":
        return this.binary(e, s, vectors);
      case "unary":
      case "cast":
      case "bitcast": {
        const x = this.value(e.x, s);
        const one = (from: number, vector: boolean): number => {
          const at = func.local(vector ? "v128" : e.type === "f32" ? "f32" : "i32");
          if (e.kind === "unary") emit.emitUnary(c, e.fn, e.type, from, vector);
          else if (e.kind === "cast") emit.emitCast(c, e.x.type, e.type, from, vector);
          else {
            c.get(from);
            if (!vector && e.type === "f32") c.op(op.f32ReinterpretI32);
            else if (!vector && e.x.type === "f32") c.op(op.i32ReinterpretF32);
          }
          c.set(at);
          return at;
        };
        if (vectors) return { kind: "vector", at: this.lanes(x, e.x.type, s).map((l) => one(l, true)) };
        return { kind: "scalar", at: one(this.local(x, e.x.type, c), false) };
      }
      case "select": {
        const [cond, a, b] = [this.value(e.cond, s), this.value(e.a, s), this.value(e.b, s)];
        if (vectors) {
          const [m, p, q] = [this.lanes(cond, "bool", s), this.lanes(a, e.type, s), this.lanes(b, e.type, s)];
          const at = m.map((mask, u) => {
            const local = func.local("v128");
            c.get(p[u]!).get(q[u]!).get(mask).op(op.v128Bitselect).set(local);
            return local;
          });
          return { kind: "vector", at };
        }
        const wasm = e.type === "f32" ? "f32" : "i32";
        const at = func.local(wasm);
        this.pushScalar(c, a, wasm);
        this.pushScalar(c, b, wasm);
        this.pushScalar(c, cond);
        c.op(op.select).set(at);
        return { kind: "scalar", at };
      }
      default:
        throw new Error(`internal: ${e.kind} is not computed here`);
    }
  }

  private affine(e: Expr & { kind: "affine" }, s: Scope, vectors: number): Value {
    const c = s.code;
    const type = vectors ? "v128" : "i32";
    const terms = e.terms.map(([t, k]) => ({ v: this.value(t, s), k }));
    const at = Array.from({ length: vectors || 1 }, (_, u) => {
      const local = this.func.local(type);
      const parts = terms.map(({ v, k }) => ({
        at: vectors ? this.lanes(v, "i32", s)[u]! : this.local(v, "i32", c),
        k,
      }));
      if (vectors) c.v128([e.offset, e.offset, e.offset, e.offset]);
      else c.i32(e.offset);
      for (const { at: term, k } of parts) {
        c.get(term);
        if (k === -1) c.op(vectors ? op.i32x4Sub : op.i32Sub);
        else {
          if (k !== 1) (vectors ? c.v128([k, k, k, k]) : c.i32(k)).op(vectors ? op.i32x4Mul : op.i32Mul);
          c.op(vectors ? op.i32x4Add : op.i32Add);
        }
      }
      c.set(local);
      return local;
    });
    return vectors ? { kind: "vector", at } : { kind: "scalar", at: at[0]! };
  }

  private binary(e: Binary, s: Scope, vectors: number): Value {
    const { func } = this;
    const c = s.code;
    const type = e.a.type;
    const [a, b] = [this.value(e.a, s), this.value(e.b, s)];
    if (!vectors) {
      const at = func.local(e.type === "f32" ? "f32" : "i32");
      const wasm = type === "f32" ? "f32" : "i32";
      const direct = emit.scalarBinary(e.fn, type);
      if (direct !== undefined) {
        this.pushScalar(c, a, wasm);
        this.pushScalar(c, b, wasm);
        c.op(direct);
      } else if (e.fn === "min" || e.fn === "max")
        emit.emitScalarMinMax(c, e.fn, type, this.local(a, type, c), this.local(b, type, c));
      else {
        const divisor = b.kind === "const" ? b.value : undefined;
        const by = divisor === undefined || divisor === 0 ? this.local(b, type, c) : -1;
        emit.emitScalarDivide(c, e.fn as "idiv" | "imod", type, this.local(a, type, c), by, divisor);
      }
      c.set(at);
      return { kind: "scalar", at };
    }
    const direct = emit.vectorBinary(e.fn, type);
    const x = this.lanes(a, type, s);
    const y = this.lanes(b, type, s);
    const at = x.map((from, u) => {
      const out = func.local("v128");
      if (direct !== undefined) c.get(from).get(y[u]!).op(direct).set(out);
      else if (e.fn === "shl" || e.fn === "shr") {
        const code = e.fn === "shl" ? op.i32x4Shl : type === "i32" ? op.i32x4ShrS : op.i32x4ShrU;
        if (b.kind !== "vector") {
          c.get(from);
          this.pushScalar(c, b);
          c.op(code).set(out);
        } else
          byLane(func, c, out, from, y[u]!, (p, q) => c.get(p).get(q).op(emit.scalarBinary(e.fn, type)!));
      } else divideVector(func, c, e, out, from, y[u]!, b.kind === "const" ? b.value : undefined);
      return out;
    });
    return { kind: "vector", at };
  }

  private fold(fold: Fold, s: Scope): void {
    const { func, deps } = this;
    const bits = deps.bit(fold.index) | deps.stateBit(fold);
    const vectors = deps.ofFold(fold) & this.varying ? s.vectors : 0;
    const c = s.code;
    const type = (e: Expr): "v128" | "f32" | "i32" => (vectors ? "v128" : e.type === "f32" ? "f32" : "i32");
    const push = (into: Code, v: Value, e: Expr, at: Scope, u: number): void => {
      if (vectors) into.get(this.lanes(v, e.type, at)[u]!);
      else this.pushScalar(into, v, e.type === "f32" ? "f32" : "i32");
    };
    const inits = fold.init.map((e) => this.value(e, s));
    const states = fold.init.map((e) => func.many(vectors || 1, type(e)));
    const scope = new Scope(s, bits, s.vectors);
    const i = func.local();
    this.setIndex(fold.index, i, scope);
    states.forEach((at, k) => {
      const v: Value = vectors ? { kind: "vector", at } : { kind: "scalar", at: at[0]! };
      scope.memo.set(fold.states[k], v);
      s.memo.set(`fold${fold.id}.${k}`, v);
      // Inside the loop a uniform state meets no lanes; after it, the local holds the result.
      if (!vectors) this.homes.set(at[0]!, s);
    });
    const nexts = fold.next.map((e) => this.value(e, scope));
    // Every next state is read before any is written.
    nexts.forEach((v, k) => states[k]!.forEach((_, u) => push(scope.code, v, fold.next[k]!, scope, u)));
    for (const at of states.flat().reverse()) scope.code.set(at);
    // Initial values last: whatever the body hoisted stands before the loop.
    inits.forEach((v, k) => {
      states[k]!.forEach((at, u) => {
        push(c, v, fold.init[k]!, s, u);
        c.set(at);
      });
    });
    c.i32(0).set(i);
    c.loop((code) => {
      code.append(scope.code).get(i).i32(1).op(op.i32Add).tee(i).i32(fold.index.extent).op(op.i32LtU).brIf(0);
    });
  }
}
