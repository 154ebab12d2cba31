// Reads vitest's JSON report and prints what ran, with "N passed, N failed" as the last line. Exits non-zero where a
// test failed, a test file could not be loaded, or nothing ran.
//
//   node scripts/summary.mjs <report.json>
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const [path] = process.argv.slice(2);
let report;
try {
  report = JSON.parse(readFileSync(path, "utf8"));
} catch (error) {
  console.log(`no report of the tests: ${error.message}`);
  console.log("0 passed, 0 failed");
  process.exit(1);
}

const failures = [];
for (const file of report.testResults) {
  const name = relative(process.cwd(), file.name);
  const tests = file.assertionResults.filter((test) => test.status === "failed");
  for (const test of tests) failures.push(`${name} > ${test.fullName}`);
  // A file that throws while loading, or in a hook, has no failed test to count; it counts as one.
  if (file.status === "failed" && tests.length === 0)
    failures.push(`${name}: ${file.message || "failed as a file"}`);
}

const skipped = report.numPendingTests + report.numTodoTests;
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${report.testResults.length} files, ${report.numTotalTests} tests, ${skipped} skipped or to do`);
console.log(`${report.numPassedTests} passed, ${failures.length} failed`);
process.exit(failures.length === 0 && report.numPassedTests > 0 && report.success ? 0 : 1);
