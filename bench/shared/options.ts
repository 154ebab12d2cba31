/** Command lines of the benchmarks, and the values of their options. */
import { deviceChoices } from "@dawnstrap/tensor";
import { Command, InvalidArgumentError, Option } from "commander";

/** The command of `npm run NAME`. A wrong option ends it with exit code 1, the reason and the help. */
export const command = (name: string, description: string): Command =>
  new Command(`npm run ${name} --`).description(description).showHelpAfterError();

/** `--device`, among all choices or some. */
export const deviceOption = (
  what: string,
  choices: readonly string[] = deviceChoices,
  preferred = "auto",
): Option => new Option("--device <device>", what).choices(choices).default(preferred);

/** A number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Number.POSITIVE_INFINITY))
    throw new InvalidArgumentError("It has to be a number above 0.");
  return value;
}

/** Whole numbers from `least` on. */
export const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    const wanted = least === 0 ? ", 0 or more" : least === 1 ? " above 0" : ` of at least ${least}`;
    if (!Number.isInteger(value) || value < least)
      throw new InvalidArgumentError(`It has to be a whole number${wanted}.`);
    return value;
  };

/** A regular expression; case does not matter. */
export function pattern(text: string): RegExp {
  try {
    return new RegExp(text, "i");
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** Whole numbers with commas between. */
export function seedList(text: string): number[] {
  const seeds = text.split(",").map(Number);
  if (text.trim() === "" || !seeds.every((seed) => Number.isInteger(seed) && seed >= 0))
    throw new InvalidArgumentError("It has to be whole numbers with commas between, such as 0,1,2.");
  return seeds;
}
