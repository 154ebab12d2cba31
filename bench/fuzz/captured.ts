/** What is printed while something runs in this process. */

/** Runs with stdout and stderr caught, the first 20,000 characters of each. */
export async function captured<T>(run: () => Promise<T>): Promise<{ result: T; out: string; err: string }> {
  const said = { out: "", err: "" };
  const [out, err] = [process.stdout.write, process.stderr.write];
  const into =
    (which: "out" | "err") =>
    (text: unknown, ...rest: unknown[]): boolean => {
      said[which] = `${said[which]}${text instanceof Uint8Array ? Buffer.from(text) : text}`.slice(0, 20_000);
      for (const done of rest) if (typeof done === "function") done();
      return true;
    };
  process.stdout.write = into("out") as typeof process.stdout.write;
  process.stderr.write = into("err") as typeof process.stderr.write;
  try {
    return { result: await run(), ...said };
  } finally {
    process.stdout.write = out;
    process.stderr.write = err;
  }
}
