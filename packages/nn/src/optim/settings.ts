/** Settings of optimisers as data: what a validator, a command line and documentation read of each. */

interface Row {
  /** What it does, in a few words. */
  readonly about: string;
  /** A preset need not name it: it is left at its fallback. */
  readonly rare?: boolean;
}

/** A number between `least` and `most`, or above `above`. */
export interface NumberSetting extends Row {
  readonly kind: "number";
  readonly fallback: number;
  readonly least?: number;
  readonly most?: number;
  readonly above?: number;
  /** Values with which the kernel is tested. Default: the fallback. */
  readonly tried?: readonly number[];
}
export interface BooleanSetting extends Row {
  readonly kind: "boolean";
  readonly fallback: boolean;
}
export interface ChoiceSetting extends Row {
  readonly kind: "choice";
  readonly fallback: string;
  readonly choices: readonly string[];
}
export type Setting = NumberSetting | BooleanSetting | ChoiceSetting;
/** Settings by name. */
export type Settings = Readonly<Record<string, Setting>>;

/** The values of settings. */
export type SettingsOf<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends { kind: "choice"; choices: readonly (infer C)[] }
    ? C
    : S[K] extends { kind: "boolean" }
      ? boolean
      : number;
};

/** What is given, and the fallbacks of the rest. */
export const withFallbacks = <S extends Settings>(
  settings: S,
  given: Readonly<Record<string, unknown>>,
): SettingsOf<S> =>
  Object.fromEntries(
    Object.entries(settings).map(([name, { fallback }]) => [name, given[name] ?? fallback]),
  ) as SettingsOf<S>;
