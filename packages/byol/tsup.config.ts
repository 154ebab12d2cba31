import { defineConfig } from "tsup";
import { library } from "../../scripts/library.config";

export default defineConfig(library({ index: "src/index.ts", cli: "src/node/cli/main.ts" }));
