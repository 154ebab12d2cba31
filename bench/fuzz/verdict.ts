/** What became of an input. */

export interface Verdict {
  readonly kind: "ok" | "refused" | "fault";
  /** The message of a refusal, or what is at fault. */
  readonly what: string;
}

const stack = /^\s+at .+[:(].+:\d+:\d+\)?$/m;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are looked for
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/** Whether a message is one for people: no stack, nothing unexpected. */
export function judged(message: string): Verdict {
  const fault = (why: string): Verdict => ({ kind: "fault", what: `${why}: ${message.slice(0, 2000)}` });
  if (message.trim() === "") return fault("refused without a word");
  if (stack.test(message)) return fault("a stack is shown");
  if (message.includes("(unexpected")) return fault("an internal error");
  return { kind: "refused", what: message };
}

/** As `judged`, of what a terminal gets: nothing that steers it, nothing without end. */
export function judgedShown(text: string): Verdict {
  const verdict = judged(text);
  if (verdict.kind === "fault") return verdict;
  const fault = (why: string): Verdict => ({ kind: "fault", what: `${why}: ${text.slice(0, 2000)}` });
  if (control.test(text)) return fault("control characters are shown");
  return text.length > 5000 ? fault(`a message of ${text.length} characters`) : verdict;
}

/** The verdict on a command by its exit code and what it printed. */
export function judgedCommand(code: number, out: string, err: string): Verdict {
  if (code !== 0) return judgedShown(err);
  const shown = judgedShown(`ok ${out}${err}`.slice(0, 4000));
  return shown.kind === "fault" ? shown : { kind: "ok", what: "" };
}
