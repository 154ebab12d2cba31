/** `@dawnstrap/tensor/node`: files that are written whole or not at all. */
export { copyWhole, isPartial, readWhole, writeAllSync, writeWhole } from "./whole.js";
