/** `@dawnstrap/tensor/node`: files that are written whole or not at all. */
export { copyWhole, finalNameOf, readWhole, writeAllSync, writeWhole } from "./whole.js";
