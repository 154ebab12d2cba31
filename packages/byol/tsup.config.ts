import { existsSync } from "node:fs";
import { defineConfig } from "tsup";
import { library } from "../../scripts/library.config";

const cli = ["src/cli.ts", "src/cli/main.ts", "src/cli/index.ts"].find((file) => existsSync(file));
export default defineConfig(library({ index: "src/index.ts", ...(cli && { cli }) }));
