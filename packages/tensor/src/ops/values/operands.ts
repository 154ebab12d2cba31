/** What ops take beside tensors: plain numbers, and tensors of other dtypes. */
import type { DType } from "../../dtype.js";
import type { Tensor, TensorLike } from "../../tensor.js";
import { cast } from "./cast.js";
import { full } from "./constants.js";

/** The dtype that a plain number takes beside a tensor: the tensor's own where it can hold the number. */
export function dtypeOfNumber(value: number, beside: DType): DType {
  if (beside === "float32" || !Number.isInteger(value)) return "float32";
  if (beside === "bool") return "int32";
  if (beside === "uint8" && (value < 0 || value > 255)) return "int32";
  return beside === "uint32" && value < 0 ? "int32" : beside;
}

/** Replaces plain numbers by constants on the device of the first tensor. */
export function tensors(op: string, ...operands: readonly TensorLike[]): Tensor[] {
  const beside = operands.find((x): x is Tensor => typeof x !== "number");
  if (!beside) throw new TypeError(`${op}: needs a tensor among its operands, got numbers only`);
  return operands.map((x) =>
    typeof x === "number" ? full(beside.device, [], x, dtypeOfNumber(x, beside.dtype)) : x,
  );
}

export const asFloat = (x: Tensor): Tensor => cast(x, "float32");
