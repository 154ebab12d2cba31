// Loads TypeScript in this thread only: with --import tsx every thread that decodes would load the compiler, too.
import { register } from "tsx/esm/api";

register();
await import("./child.ts");
