/** One protocol, one place: what is asked of an encoder, with which options, and how the answer is shown. */
import type { Device } from "@dawnstrap/tensor";
import type { Labelled } from "./features.js";
import type { OptionRow, ValuesOf } from "./options.js";
import type { Result } from "./result.js";
import type { Subject } from "./subject.js";

/** Shares, as the results are, and where the paper has them. */
export type Published = { readonly source: string } & {
  readonly [metric: string]: number | string | undefined;
};

/** A protocol fast enough to be measured before and after every pre-training, on cached features. */
export interface Quick {
  /** Of the accuracy in summary.json. */
  readonly key: string;
  /** Of its row in tables. */
  readonly title: string;
  /** Share of held-out images that are classified right. */
  accuracy(
    device: Device,
    bank: Labelled,
    held: Labelled,
    classes: number,
    settings: {
      readonly neighbours: number;
      readonly subsets: number;
      /** Ends it before its end: its reason is thrown. */
      readonly signal?: AbortSignal | undefined;
      /** Told of what is measured otherwise than the settings say. */
      readonly note?: ((text: string) => void) | undefined;
    },
  ): Promise<number>;
}

export interface ProtocolDefinition<O extends Readonly<Record<string, OptionRow>>> {
  /** As `byol evaluate` calls it. */
  readonly name: string;
  readonly about: string;
  /** By name; `leaveOneOut` is `--leave-one-out` on a command line. */
  readonly options: O;
  /**
   * Refuses options that do not go together, before anything is opened.
   *
   * @param given names of the options that were given, not left at their fallbacks
   */
  check?(options: ValuesOf<O>, given: readonly string[]): void;
  run(subject: Subject, options: ValuesOf<O>): Promise<Result>;
  /** The metrics of its results with their names, in the order of a table's columns. */
  readonly metrics: Readonly<Record<string, string>>;
  /**
   * What the paper has of it.
   *
   * @param protocol as the result calls it, such as `semi 1 %`
   * @param data kind of the data set, such as `cifar10` of `cifar10:DIR`
   */
  published?(protocol: string, data: string): Published | undefined;
  readonly quick?: Quick;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds protocols of every set of options
export type Protocol = ProtocolDefinition<any>;

/**
 * A protocol of one's own has a place in every list that takes protocols: the command line's, `measure`'s, `resultTable`'s.
 *
 * @example
 * ```ts
 * import { defineProtocol, frozenFeatures, conclude, whole } from "@dawnstrap/byol/tasks";
 *
 * const spread = defineProtocol({
 *   name: "spread",
 *   about: "how far the features of held-out images reach",
 *   options: { dimension: whole(0, "n", "which feature", 0) },
 *   metrics: { range: "range" },
 *   async run(subject, { dimension }) {
 *     const started = performance.now();
 *     const { features, width } = await frozenFeatures(subject)(subject.data.heldOut);
 *     const column = features.filter((_, i) => i % width === dimension);
 *     const value = Math.max(...column) - Math.min(...column);
 *     const range = { value, low: value, high: value };
 *     return conclude(subject, "spread", {
 *       ...{ metrics: { range }, train: 0, test: column.length, asked: { dimension }, started },
 *     });
 *   },
 * });
 * console.log(spread.name);
 * ```
 */
export const defineProtocol = <const O extends Readonly<Record<string, OptionRow>>>(
  definition: ProtocolDefinition<O>,
): ProtocolDefinition<O> => definition;
