/** A run that is killed (SIGKILL) again and again, and gone on with. */
import { hasCheckpoints } from "@dawnstrap/byol/node";
import { type Aim, momentsOf, reach } from "./moments.js";
import { type Half, linesOf } from "./process.js";
import { finish, type Soaked, whole } from "./soaked.js";

export interface Kill {
  readonly aim: Aim;
  /** Steps that were done when it came. */
  readonly at: number;
  /** Whether a file was being written. */
  readonly inWrite: boolean;
}

/** @throws an error where a kill tore a file, or the run cannot go on */
export async function killed(soaked: Soaked, half: Half, folder: string): Promise<Kill[]> {
  const kills: Kill[] = [];
  let run = soaked.begin(half, folder);
  for (const moment of momentsOf(soaked.options)) {
    await reach(run, folder, moment);
    run.child.kill("SIGKILL");
    const { code, signal, err } = await run.ended;
    // The closing measurements may be over before.
    if (code === 0) break;
    if (signal !== "SIGKILL")
      throw new Error(`the run ended with ${signal ?? code} before its kill:\n${err}`);
    const partial = await whole(folder);
    const kill = { aim: moment.aim, at: linesOf(folder).length, inWrite: partial.length > 0 };
    kills.push(kill);
    console.log(
      `kill ${kills.length}: ${kill.aim}, after ${kill.at} steps${kill.inWrite ? ", in a write" : ""}`,
    );
    // Where no checkpoint has been written yet there is nothing to go on with.
    run = (await hasCheckpoints(folder)) ? soaked.goOn(half, folder) : soaked.begin(half, folder);
  }
  await finish(run);
  return kills;
}
