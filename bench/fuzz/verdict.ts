/** What became of an input. */

export interface Verdict {
  readonly kind: "ok" | "refused" | "fault";
  /** The message of a refusal, or what is at fault. */
  readonly what: string;
}

const stack = /^\s+at .+[:(].+:\d+:\d+\)?$/m;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/** Whether a message that is shown is one for people: no stack, nothing unexpected, nothing that steers a terminal. */
export function judged(message: string): Verdict {
  const fault = (why: string): Verdict => ({ kind: "fault", what: `${why}: ${message.slice(0, 2000)}` });
  if (message.trim() === "") return fault("refused without a word");
  if (stack.test(message)) return fault("a stack is shown");
  if (message.includes("(unexpected")) return fault("an internal error");
  if (control.test(message)) return fault("control characters are shown");
  if (message.length > 5000) return fault(`a message of ${message.length} characters`);
  return { kind: "refused", what: message };
}

/** The verdict on a command by its exit code and what it printed. */
export function judgedCommand(code: number, out: string, err: string): Verdict {
  if (code !== 0) return judged(err);
  const shown = judged(`ok ${out}${err}`.slice(0, 4000));
  return shown.kind === "fault" ? shown : { kind: "ok", what: "" };
}
