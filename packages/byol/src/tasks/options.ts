/**
 * Options of protocols as data: what a command line shows of each, checks, and hands over. Numbers are checked by kind; a
 * list stands with commas between its numbers, none twice.
 */

export interface OptionRow {
  readonly kind:
    | "whole"
    | "positive"
    | "wholes"
    | "positives"
    | "not-negatives"
    | "choice"
    | "flag"
    | "text-file";
  /** What it is for, in a few words; a choice may speak for itself. */
  readonly about?: string;
  /** What stands for its value on a command line, such as `n`. */
  readonly placeholder?: string;
  /** Of whole numbers: the least. */
  readonly least?: number;
  readonly choices?: readonly string[];
  /** Taken where the option is not given. */
  readonly fallback?: unknown;
  /** Another option that may not be given beside it. */
  readonly conflicts?: string;
}

/** A file of text that was named. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

declare const value: unique symbol;
/** An option whose value has type `T`. */
export interface ProtocolOption<T> extends OptionRow {
  readonly [value]?: T;
}
/** The values of options. */
export type ValuesOf<O> = { readonly [K in keyof O]: O[K] extends ProtocolOption<infer T> ? T : never };

/** A whole number, `least` or more. */
export const whole = (
  least: number,
  placeholder: string,
  about: string,
  fallback: number,
): ProtocolOption<number> => ({ kind: "whole", least, placeholder, about, fallback });

/** A whole number, `least` or more; undefined where none is given. */
export const wholeOrNone = (
  least: number,
  placeholder: string,
  about: string,
): ProtocolOption<number | undefined> => ({ kind: "whole", least, placeholder, about });

/** A number above 0. */
export const positive = (placeholder: string, about: string, fallback: number): ProtocolOption<number> => ({
  kind: "positive",
  ...{ placeholder, about, fallback },
});

type List = ProtocolOption<readonly number[]>;
type ListOrNone = ProtocolOption<readonly number[] | undefined>;

/** Numbers above 0; undefined where none are given and there is no `fallback`. */
export function positives(about: string, fallback: readonly number[]): List;
export function positives(about: string): ListOrNone;
export function positives(about: string, fallback?: readonly number[]): List | ListOrNone {
  return { kind: "positives", placeholder: "list", about, ...(fallback && { fallback: [...fallback] }) };
}

/** Numbers that are 0 or more, or undefined. */
export const notNegatives = (about: string): ListOrNone => ({
  kind: "not-negatives",
  ...{ placeholder: "list", about },
});

/** Whole numbers of 1 or more, or undefined. */
export const wholes = (about: string): ListOrNone => ({
  kind: "wholes",
  ...{ least: 1, placeholder: "list", about },
});

/** One of several words, the first where none is given. */
export const choice = <const C extends readonly [string, ...string[]]>(
  choices: C,
  about?: string,
  placeholder = "kind",
): ProtocolOption<C[number]> => ({ kind: "choice", placeholder, choices, about, fallback: choices[0] });

/** Given or not. */
export const flag = (about: string): ProtocolOption<boolean> => ({ kind: "flag", about });

/** A file to be read, or undefined. */
export const textFile = (about: string, conflicts?: string): ProtocolOption<TextFile | undefined> => ({
  kind: "text-file",
  ...{ placeholder: "file", about, conflicts },
});
