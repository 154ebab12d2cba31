import { watchOutputs } from "./outputs.js";
import { main } from "./program.js";

watchOutputs();
process.exitCode = await main(process.argv.slice(2));
