/** Every package, so that every op stands in the registry that the conformance, gradient and lowering suites walk. */
import "@dawnstrap/autograd";
import "@dawnstrap/byol";
import "@dawnstrap/nn";
import "@dawnstrap/tensor";

export { registry } from "@dawnstrap/tensor/extend";
