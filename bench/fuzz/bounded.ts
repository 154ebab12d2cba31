/** A child process with bounds: time, memory, and where it writes. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Attempt, clear, lay, listing, pathOf, type Trial } from "./trial.js";
import type { Verdict } from "./verdict.js";

export interface Bounds {
  readonly seconds: number;
  readonly bytes: number;
}

/** Inputs that a child reads before another takes its place, so that small leaks do not add up to a fault. */
const turns = 200;

/** The most resident memory of a process since it was last asked to count anew; 0 where the system does not tell. */
function peakBytes(pid: number): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/**
 * Seconds that a process waited for a core, in its thread that waited longest. On a busy machine they are no fault of
 * the process's, and are taken off its time.
 */
function withheld(pid: number): number {
  try {
    const waits = readdirSync(`/proc/${pid}/task`).map((task) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[1]),
    );
    return Math.max(...waits) / 1e9;
  } catch {
    return 0;
  }
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

const fault = (what: string): Verdict => ({ kind: "fault", what });

function filledIn(attempt: Attempt, root: string): Attempt {
  const fill = (text: string): string => text.replaceAll("{}", root);
  return attempt.read === "data"
    ? { ...attempt, name: fill(attempt.name) }
    : { ...attempt, words: attempt.words.map(fill) };
}

export class Bounded {
  /** Everything that the child may write to without being asked lies in here: home, temporary files, working folder. */
  private readonly around = mkdtempSync(join(tmpdir(), "fuzz-"));
  private readonly root = join(this.around, "some", "where", "trial");
  private child: ChildProcess | undefined;
  private ready: Promise<unknown> = Promise.resolve();
  private err = "";
  private turn = 0;

  constructor(private readonly bounds: Bounds = { seconds: 20, bytes: 2 ** 30 }) {
    for (const folder of [this.root, this.home, this.temporary]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(this.around, "some", "precious.txt"), "not to be touched");
  }

  private get home(): string {
    return join(this.around, "home");
  }

  private get temporary(): string {
    return join(this.around, "tmp");
  }

  /** Tries one input. */
  async try(trial: Trial, bounds = this.bounds): Promise<Verdict> {
    if (++this.turn % turns === 0) this.end();
    const child = this.start();
    await this.ready;
    clear(this.root);
    lay(trial.tree, this.root);
    const before = listing(this.around);
    const verdict = await this.answer(child, filledIn(trial.attempt, this.root), bounds);
    if (verdict.kind === "fault") {
      this.end();
      return verdict;
    }
    const touched = this.touched(before, trial.attempt);
    if (touched !== undefined) return fault(`${touched} was written, ${verdict.kind} ${verdict.what}`);
    return trial.sound && verdict.kind === "refused"
      ? fault(`a sound input is refused: ${verdict.what}`)
      : verdict;
  }

  /** Tries one input in a process that has read nothing before. */
  tryAlone(trial: Trial): Promise<Verdict> {
    this.end();
    return this.try(trial);
  }

  private end(): void {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }

  close(): void {
    this.end();
    clear(this.around);
    rmSync(this.around, { recursive: true });
  }

  private start(): ChildProcess {
    if (this.child) return this.child;
    const { home, temporary } = this;
    const child = fork(fileURLToPath(new URL("./child.mjs", import.meta.url)), [temporary], {
      ...{ cwd: this.root, stdio: ["ignore", "ignore", "pipe", "ipc"] },
      execArgv: ["--conditions=@dawnstrap/source", "--max-old-space-size=768", "--expose-gc"],
      env: { ...process.env, HOME: home, XDG_CACHE_HOME: join(home, "cache") },
    });
    this.err = "";
    child.stderr!.on("data", (text) => (this.err = `${this.err}${text}`.slice(-3000)));
    this.ready = new Promise((resolve) => {
      child.once("message", resolve);
      child.once("exit", resolve);
    });
    this.child = child;
    return child;
  }

  private answer(child: ChildProcess, attempt: Attempt, { seconds, bytes }: Bounds): Promise<Verdict> {
    const started = performance.now();
    const before = withheld(child.pid!);
    return new Promise((resolve) => {
      const done = (verdict: Verdict): void => {
        clearInterval(watch);
        child.removeAllListeners("message").removeAllListeners("exit");
        resolve(verdict);
      };
      const excess = (): Verdict | undefined => {
        const peak = peakBytes(child.pid!);
        if (peak > bytes)
          return fault(`memory: ${mebibytes(peak)} resident, ${mebibytes(bytes)} are allowed`);
        const passed = (performance.now() - started) / 1000;
        if (passed < seconds || passed < seconds + withheld(child.pid!) - before) return undefined;
        return fault(`time: no answer in ${seconds} s`);
      };
      const watch = setInterval(() => {
        const found = excess();
        if (found) done(found);
      }, 50);
      child.once("message", (verdict: Verdict) => done(excess() ?? verdict));
      child.once("exit", (code, signal) =>
        done(fault(`the process ended with ${signal ?? `exit code ${code}`}: ${this.err}`)),
      );
      if (child.exitCode !== null) done(fault(`the process does not start: ${this.err}`));
      else child.send(attempt);
    });
  }

  /** The first path that was written, removed or changed and must not be. */
  private touched(before: Map<string, string>, attempt: Attempt): string | undefined {
    const allowed = (attempt.read === "command" ? (attempt.writes ?? []) : []).map((path) =>
      pathOf(join(this.root, path)),
    );
    const after = listing(this.around);
    for (const path of new Set([...before.keys(), ...after.keys()])) {
      if (before.get(path) === after.get(path)) continue;
      if (!allowed.some((open) => path === open || path.startsWith(`${open}/`))) return path;
    }
    return undefined;
  }
}
