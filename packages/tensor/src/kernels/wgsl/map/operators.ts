/** Operators of the expression language as WGSL text. */
import { type Binary, rangeOf, type Unary } from "../../../expr/expr.js";

export function unaryText(e: Unary, x: string): string {
  switch (e.fn) {
    case "neg":
      return e.type === "u32" ? `(0u - ${x})` : `(-${x})`;
    case "not":
      return `(!${x})`;
    case "bitNot":
      return `(~${x})`;
    default:
      return `${e.fn}(${x})`;
  }
}

const infix: Partial<Record<Binary["fn"], string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  and: "&",
  or: "|",
  xor: "^",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  eq: "==",
  ne: "!=",
};

export function binaryText(e: Binary, a: string, b: string): string {
  switch (e.fn) {
    case "min":
    case "max":
      return `${e.fn}(${a}, ${b})`;
    case "shl":
    case "shr": {
      const by =
        e.b.kind === "const"
          ? `${e.b.value & 31}u`
          : e.b.type === "u32"
            ? `(${b} & 31u)`
            : `(u32(${b}) & 31u)`;
      return `(${a} ${e.fn === "shl" ? "<<" : ">>"} ${by})`;
    }
    case "idiv":
    case "imod":
      return quotientText(e, a, b);
    case "xor":
      return e.a.type === "bool" ? `(${a} != ${b})` : `(${a} ^ ${b})`;
    default:
      return `(${a} ${infix[e.fn]} ${b})`;
  }
}

function quotientText(e: Binary, a: string, b: string): string {
  const op = e.fn === "idiv" ? "/" : "%";
  if (e.b.kind !== "const") return `(${a} ${op} ${b})`;
  // A constant zero divisor is an error in WGSL; a zero at run time gives these values.
  if (e.b.value === 0) return e.fn === "idiv" ? a : e.type === "i32" ? "0i" : "0u";
  // Signed division needs extra work for negative numerators, and implementations guard it against overflow.
  if (e.type === "i32" && e.b.value > 0 && rangeOf(e.a)[0] >= 0) return `i32(u32(${a}) ${op} ${e.b.value}u)`;
  return `(${a} ${op} ${b})`;
}
