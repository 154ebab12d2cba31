/** Runs once per test run, in the main process: says how to draw the same random cases again. */
export default function announce(): void {
  const seed = process.env.DAWNSTRAP_SEED;
  console.log(`fast-check seed: ${seed} (replay with DAWNSTRAP_SEED=${seed})`);
}
