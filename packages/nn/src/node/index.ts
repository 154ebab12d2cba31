/** `@dawnstrap/nn/node`: files that are written whole or not at all. */
export { copyWhole, PARTIAL, readWhole, writeWhole } from "./whole.js";
