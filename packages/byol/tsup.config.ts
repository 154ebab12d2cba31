import { defineConfig } from "tsup";
import { library } from "../../scripts/library.config";

export default defineConfig(
  library({
    index: "src/index.ts",
    images: "src/images/index.ts",
    tasks: "src/tasks/index.ts",
    testing: "src/testing.ts",
    node: "src/node/index.ts",
    cli: "src/node/cli/main.ts",
  }),
);
