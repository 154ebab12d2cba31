/** Makes ops methods: of tensors, and of devices those that make tensors from numbers alone. */
import { bindConstants } from "../device.js";
import { bindMethods } from "../tensor.js";
import * as functions from "./index.js";

bindMethods(functions);
bindConstants(functions);
