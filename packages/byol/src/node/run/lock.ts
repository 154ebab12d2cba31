/** One process at a time has a run's folder: a file in it names the process, and goes with it. */
import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  constants,
  linkSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../../errors.js";
import { LOCK } from "./files.js";

const ownerSchema = z.object({
  pid: z.int().min(1),
  host: z.string(),
  /** Of this system's start, the table of processes that `pid` is in, and when the process began. "" where unknown. */
  ...{ boot: z.string(), table: z.string(), began: z.string() },
  /** Of this lock and no other. */
  nonce: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

/** What Linux says; "" where it does not. */
function told(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return "";
  }
}

/** State and start of a process, from proc(5)'s stat; its second field, a name in brackets, may hold anything. */
function processOf(pid: number): { state: string; began: string } {
  const fields = told(() => readFileSync(`/proc/${pid}/stat`, "latin1")).replace(/^.*\) /s, "");
  const [state = "", ...rest] = fields.split(" ");
  return { state, began: rest[18] ?? "" };
}

const self = (): Owner => ({
  ...{ pid: process.pid, host: hostname() },
  boot: told(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")),
  table: told(() => readlinkSync("/proc/self/ns/pid")),
  began: processOf(process.pid).began,
  nonce: randomBytes(8).toString("hex"),
});

/** False only where it is certain that the owner has ended: not of another machine or container, which cannot be seen. */
function mayLive({ pid, host, boot, table, began }: Owner): boolean {
  const here = self();
  if (host !== here.host) return true;
  if (boot !== here.boot) return false;
  if (table !== here.table) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = processOf(pid);
  // One that has ended and was not yet taken note of, or another process that has got the number.
  return !/^[ZX]/.test(now.state) && now.began === began;
}

/** Undefined where there is no such file; null where it names no owner. */
function ownerOf(path: string): Owner | null | undefined {
  try {
    return statSync(path).isFile() ? ownerSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : null;
  }
}

/** The second is for file systems without links: whole all the same but for a kill in this moment. */
const placings = [
  linkSync,
  (from: string, to: string): void => copyFileSync(from, to, constants.COPYFILE_EXCL),
];

/** Gives `fresh` the name `path` too, unless something has it. */
function place(fresh: string, path: string): boolean {
  let failure: unknown;
  for (const give of placings) {
    try {
      give(fresh, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      failure = error;
    }
  }
  throw failure;
}

function acquire(fresh: string, path: string, folder: string): void {
  while (!place(fresh, path)) {
    const owner = ownerOf(path);
    if (owner === undefined) continue;
    if (owner === null)
      throw new UsageError(
        `out: ${path} is not a lock that a run wrote (remove it if no run is going on in ${folder})`,
      );
    if (mayLive(owner))
      throw new UsageError(
        `out: process ${owner.pid} on ${owner.host} is running in ${folder} (wait for its end, or choose another folder; ` +
          `if it has ended, remove ${path})`,
      );
    // Who removes a dead owner's lock has to hold the lock of just that removal; else the second of two would remove
    // the first one's new lock.
    const removal = `${path}.${owner.nonce}`;
    acquire(fresh, removal, folder);
    try {
      if (ownerOf(path)?.nonce === owner.nonce) rmSync(path);
    } finally {
      rmSync(removal);
    }
  }
}

/** What processes left that were killed while they took the lock. */
function clear(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${LOCK}.`)) continue;
    const path = join(folder, name);
    const owner = ownerOf(path);
    if (owner && !mayLive(owner)) rmSync(path, { force: true });
  }
}

/**
 * Takes the lock of a folder, over from an owner that has ended too. It is given back when the process ends, if not
 * before.
 *
 * @returns gives it back
 * @throws UsageError naming the process that has it
 */
export function lock(folder: string): () => void {
  const path = join(folder, LOCK);
  const owner = self();
  const fresh = `${path}.${owner.nonce}.new`;
  try {
    writeFileSync(fresh, `${JSON.stringify(owner)}\n`, { flag: "wx" });
    acquire(fresh, path, folder);
  } finally {
    rmSync(fresh, { force: true });
  }
  clear(folder);
  const release = (): void => {
    process.off("exit", release);
    if (ownerOf(path)?.nonce === owner.nonce) rmSync(path, { force: true });
  };
  process.on("exit", release);
  return release;
}
