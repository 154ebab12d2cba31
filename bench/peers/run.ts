/** bench:peers: Dawnstrap and its peers side by side, on the same device, in the same run. */
import { cases, select } from "./cases.js";
import { type ContenderSpec, contendersOn, type DeviceName } from "./contenders/list.js";
import { measureLimit } from "./limit.js";
import { describeRun } from "../shared/machine.js";
import { type Effort, measure } from "./measure.js";
import { devicesOf, limitOf, type Options, optionsOf, reports } from "./options.js";
import { script } from "../shared/script.js";
import { endWithRunner, Failed } from "./process.js";
import { appendSection, resultsFile } from "../shared/section.js";
import { lineOf, peersSection } from "./report.js";
import { readResults, type Results, rowOf, writeResults } from "./rows.js";
import { Team } from "./team.js";

process.env["XDG_RUNTIME_DIR"] ??= "/tmp"; // Mesa warns where it is unset.

async function main(options: Options): Promise<void> {
  const wanted = select(options.only, options.quick);
  if (wanted.length === 0) throw new Error("no case matches (--list shows them)");
  const results = start(options);
  const { load, cores } = results.machine;
  if (load > cores / 2)
    console.log(
      `The machine is busy (load ${load} on ${cores} cores): ratios may be off, absolute numbers are.`,
    );
  endWithRunner();
  for (const device of devicesOf(options)) {
    const specs = contendersOn(device).filter(
      (s) => s.role === "ours" || !options.contenders || options.contenders.test(s.name),
    );
    const team = new Team(specs, options.threads);
    if (await opens(team, device, options)) {
      if (device === "cpu") results.limit ??= await measureLimit(options.threads);
      await measureAll(options, results, device, specs, team);
    }
    team.stop();
  }
  if (reports(options) && results.rows.length) {
    appendSection(resultsFile, peersSection(results));
    console.log(`Appended to ${resultsFile}`);
  }
  if (results.rows.some((r) => r.ours === null)) process.exitCode = 1;
}

function start({ json, resume, threads }: Options): Results {
  const before = resume && json ? readResults(json) : undefined;
  const about = describeRun();
  if (before && before.commit !== about.commit)
    console.log(`Resuming a run of commit ${before.commit} at ${about.commit}: the rows are of both.`);
  return {
    ...about,
    threads,
    limit: before?.limit,
    contenders: before?.contenders ?? {},
    rows: before?.rows ?? [],
  };
}

/** Whether our own device opens; without --device a machine with no adapter is measured on the CPU only. */
async function opens(team: Team, device: DeviceName, options: Options): Promise<boolean> {
  try {
    await team.members[0]!.ready();
    return true;
  } catch (error) {
    if (!(error instanceof Failed) || options.device !== undefined) throw error;
    console.log(`${device}: left out, ${error.message}`);
    return false;
  }
}

async function measureAll(
  options: Options,
  results: Results,
  device: DeviceName,
  specs: readonly ContenderSpec[],
  team: Team,
): Promise<void> {
  const effort: Effort = options.quick
    ? { limitMs: limitOf(options) * 1000, rounds: 3, roundMs: 50, budgetMs: 1500 }
    : { limitMs: limitOf(options) * 1000, rounds: 7, roundMs: 150, budgetMs: 6000 };
  const done = new Set(results.rows.filter((r) => r.device === device).map((r) => r.case));
  const todo = select(options.only, options.quick).filter((c) => !done.has(c.name));
  for (const [i, c] of todo.entries()) {
    const row = rowOf(c, device, specs, await measure(c, team, effort));
    results.rows.push(row);
    for (const { spec, opened } of team.members)
      if (opened)
        results.contenders[`${spec.name} on ${device}`] = {
          description: opened.description,
          versions: opened.versions,
        };
    if (options.json) writeResults(options.json, results);
    console.log(`[${i + 1}/${todo.length}] ${lineOf(row)}`);
  }
}

const options = optionsOf(process.argv.slice(2));
if (options.list) for (const c of cases) console.log(`${c.quick ? "quick " : "      "}${c.name}`);
else
  script("bench:peers", async () => {
    await main(options);
    // Libraries leave timers behind.
    process.exit();
  });
