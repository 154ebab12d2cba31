/** A disk that fills while a run writes on it, and is freed again. */
import { execFileSync } from "node:child_process";
import { closeSync, cpSync, existsSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCheckpoints } from "@dawnstrap/byol/node";
import { linesOf } from "./process.js";
import { finish, type Soaked, whole } from "./soaked.js";

/**
 * Runs on a file system of 32 MiB of its own, which is filled in all rounds but the last.
 *
 * @param folder gets a copy of the run at its end
 * @returns how often the run ended since its disk was full
 * @throws an error unless it says so, keeps what it had, and goes on when there is room
 */
export async function filled(soaked: Soaked, folder: string): Promise<number> {
  const { rounds, steps } = soaked.options;
  const disk = `${folder}-disk`;
  mkdirSync(disk, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=32m", "soak", disk]);
  } catch (error) {
    throw new Error(
      `disk: a file system cannot be mounted (${(error as Error).message.trim()}); run as a superuser, or leave the part out with --parts kills contention`,
    );
  }
  try {
    const [run, filler] = [join(disk, "run"), join(disk, "filler")];
    for (let round = 1; round < rounds; round++) {
      const process = (await hasCheckpoints(run)) ? soaked.goOn(0, run) : soaked.begin(0, run);
      const stop = Math.floor((steps * round) / rounds);
      while (linesOf(run).length < stop && process.child.exitCode === null) await sleep(20);
      fill(filler);
      const { code, signal, err } = await process.ended;
      if (code !== 1 || !/ENOSPC|no space/i.test(err))
        throw new Error(`a run on a full disk ended with ${signal ?? code}:\n${err}`);
      console.log(`full disk ${round}: ${err.trim().split("\n").at(-1)}`);
      await whole(run);
      rmSync(filler);
    }
    await finish((await hasCheckpoints(run)) ? soaked.goOn(0, run) : soaked.begin(0, run));
    cpSync(run, folder, { recursive: true });
    return rounds - 1;
  } finally {
    execFileSync("umount", [disk]);
    if (existsSync(disk)) rmSync(disk, { recursive: true });
  }
}

/** Writes until not a byte more goes in. */
function fill(path: string): void {
  const file = openSync(path, "w");
  for (const size of [2 ** 20, 2 ** 12, 1]) {
    const bytes = new Uint8Array(size);
    try {
      for (;;) writeSync(file, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
  closeSync(file);
}
