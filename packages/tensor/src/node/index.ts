/** `@dawnstrap/tensor/node`: files that are written whole or not at all. */
export { copyWhole, finalNameOf, readWhole, syncFolder, writeAllSync, writeWhole } from "./whole.js";
