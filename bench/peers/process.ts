/**
 * The runner's side of a child process: requests with a time limit, after which the child is killed. Between requests its whole
 * process group is stopped: libraries keep idle threads spinning, which would take the cores from whoever is measured.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { MARK, type Replies, type Reply, type Request } from "./protocol.js";

/** The child answered that it cannot, died, or took too long. */
export class Failed extends Error {
  constructor(
    message: string,
    /** The child is gone; the next case needs a new one. */
    readonly dead: boolean,
  ) {
    super(message);
  }
}

const living = new Set<Child>();

/** Takes the children along however this process ends, by an error or a signal: one that is stopped cannot end by itself. */
export function endWithRunner(): void {
  process.once("exit", () => {
    for (const child of [...living]) child.kill();
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => process.exit(130));
}

/** Windows has neither groups nor these signals: nothing is stopped there. */
const hasGroups = process.platform !== "win32";

export class Child {
  private readonly process: ChildProcess;
  private settle: ((reply: Reply | Failed) => void) | undefined;
  private ended: string | undefined;
  private lastWords = "";

  constructor(command: readonly string[], env: Readonly<Record<string, string>>) {
    this.process = spawn(command[0]!, command.slice(1), {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own.
      detached: hasGroups,
    });
    living.add(this);
    createInterface({ input: this.process.stdout! }).on("line", (line) => {
      if (line.startsWith(MARK)) this.take(JSON.parse(line.slice(MARK.length)) as Reply);
    });
    this.process.stderr!.on("data", (chunk: Buffer) => {
      this.lastWords = (this.lastWords + chunk.toString()).slice(-2000);
    });
    // A dead child's pipe breaks; its exit is reported below.
    this.process.stdin!.on("error", () => {});
    this.process.on("error", (error) => this.end(`does not start: ${error.message}`));
    this.process.on("exit", (code, signal) =>
      this.end(`ended (${signal ?? `code ${code}`}) ${lastLine(this.lastWords)}`),
    );
  }

  /** Of the process, and of its group. */
  get pid(): number | undefined {
    return this.process.pid;
  }

  get alive(): boolean {
    return this.ended === undefined;
  }

  async ask<D extends Request["do"]>(request: Request & { do: D }, limitMs: number): Promise<Replies[D]> {
    if (this.ended) throw new Failed(this.ended, true);
    const reply = await new Promise<Reply | Failed>((resolve) => {
      const timer = setTimeout(() => {
        resolve(new Failed(`takes more than ${Math.round(limitMs / 1000)} s`, true));
        this.kill();
      }, limitMs);
      this.settle = (result) => {
        clearTimeout(timer);
        resolve(result);
      };
      this.process.stdin!.write(`${JSON.stringify(request)}\n`);
      this.signal("SIGCONT");
    });
    this.settle = undefined;
    this.signal("SIGSTOP");
    if (reply instanceof Failed) throw reply;
    if (!reply.ok) throw new Failed(reply.error.split("\n")[0]!.trim().slice(0, 200), false);
    return reply.value as Replies[D];
  }

  /** Ends the whole group, stopped or not. */
  kill(): void {
    this.signal("SIGCONT");
    this.signal("SIGKILL");
    this.end("was stopped");
  }

  private signal(signal: NodeJS.Signals): void {
    const { pid } = this.process;
    if (this.ended !== undefined || pid === undefined) return;
    if (!hasGroups) {
      if (signal === "SIGKILL") this.process.kill();
      return;
    }
    try {
      process.kill(-pid, signal);
    } catch {
      // It has just ended; its exit tells why.
    }
  }

  private take(reply: Reply): void {
    this.settle?.(reply);
  }

  private end(why: string): void {
    this.ended ??= why;
    living.delete(this);
    this.settle?.(new Failed(this.ended, true));
  }
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.slice(0, 160) ?? "";
