/** Every method of the package: a file each. */
import { z } from "zod";
import { UsageError } from "../errors.js";
import { suggestion } from "../suggestion.js";
import type { Heads } from "../learner/network.js";
import type { Target } from "../learner/settings.js";
import { barlowTwins } from "./barlow-twins.js";
import { byol } from "./byol.js";
import { defined, type Method, type MethodSettings } from "./method.js";
import { moco } from "./moco.js";
import { simclr } from "./simclr.js";
import { simsiam } from "./simsiam.js";
import { supervised } from "./supervised.js";
import { vicreg } from "./vicreg.js";

/** In the order in which they are listed everywhere. */
export const methods: readonly Method[] = [byol, simclr, moco, simsiam, barlowTwins, vicreg, supervised];

/** Those of the package, and then those that its user has defined. */
export const allMethods = (): Method[] => [...new Set([...methods, ...defined.values()])];

/** The method of a name. Throws UsageError listing the names there are. */
export function methodNamed(name: string): Method {
  const method = defined.get(name);
  if (!method) {
    const names = allMethods().map((of) => of.name);
    throw new UsageError(
      `method: there is no "${name}"${suggestion(name, names)}; there are ${names.join(", ")}`,
    );
  }
  return method;
}

/** The heads that the settings name. */
export const headsOf = (settings: MethodSettings): Heads => methodNamed(settings.name).heads(settings);

/** The target network that the settings name, if any. */
export const targetOf = (settings: MethodSettings): Target | undefined =>
  methodNamed(settings.name).target?.(settings);

/** A preset's `method`: that of any method that is defined by now. */
export function methodSchema(): z.ZodType<MethodSettings> {
  const schemas: z.ZodObject<{ name: z.ZodLiteral<string> }, z.core.$strict>[] = allMethods().map(
    ({ schema }) => schema,
  );
  const [first, ...rest] = schemas;
  return z.discriminatedUnion("name", [first!, ...rest]);
}
