export { default } from "../../scripts/library.config";
