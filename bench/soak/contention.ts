/** Two processes that want one folder: one has it, the other is refused, and the run is that of one alone. */
import { setTimeout as sleep } from "node:timers/promises";
import { hasCheckpoints } from "@dawnstrap/byol/node";
import { linesOf, type Running } from "./process.js";
import { finish, type Soaked, whole } from "./soaked.js";

/**
 * Starts two at a time; in all rounds but the last, kills the winner on its way.
 *
 * @returns how many processes were refused
 * @throws an error unless it is one of each two
 */
export async function contended(soaked: Soaked, folder: string): Promise<number> {
  const { rounds, steps } = soaked.options;
  for (let round = 1; round <= rounds; round++) {
    const start = (await hasCheckpoints(folder)) ? soaked.goOn : soaked.begin;
    const both: readonly [Running, Running] = [start(0, folder), start(1, folder)];
    const loser = await Promise.race(both.map((run) => run.ended.then(() => run)));
    const winner = both.find((run) => run !== loser)!;
    const { code, signal, err } = await loser.ended;
    if (code !== 2 || !/process \d+ on .* is running in|lock/.test(err))
      throw new Error(`the process that came second ended with ${signal ?? code}:\n${err}`);
    console.log(`round ${round}: ${err.trim().split("\n").at(-1)}`);
    if (round === rounds) {
      await finish(winner);
      break;
    }
    const stop = Math.floor((steps * round) / rounds);
    while (linesOf(folder).length < stop && winner.child.exitCode === null) await sleep(20);
    winner.child.kill("SIGKILL");
    await winner.ended;
    await whole(folder);
  }
  return rounds;
}
