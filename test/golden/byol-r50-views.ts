/** Writes byol-r50-views.json, from which the generator makes its views. */
import { writeFileSync } from "node:fs";
import { drawn } from "./byol-r50-run.js";

writeFileSync(new URL("byol-r50-views.json", import.meta.url), `${JSON.stringify(drawn())}\n`);
