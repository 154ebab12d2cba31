/** `@dawnstrap/nn/node`: files that are written whole or not at all. */
export { readWhole, writeWhole } from "./whole.js";
