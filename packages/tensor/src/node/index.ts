/** `@dawnstrap/tensor/node`: files that are written whole or not at all. */
export { copyWhole, finalNameOf, readAll, readWhole, syncFolder, writeAllSync, writeWhole } from "./whole.js";
