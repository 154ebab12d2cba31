import { defineConfig } from "tsup";
import { library } from "../../scripts/library.config";

export default defineConfig(
  library({
    index: "src/index.ts",
    "platform-node": "src/node/platform.ts",
    "platform-web": "src/web/platform.ts",
  }),
);
