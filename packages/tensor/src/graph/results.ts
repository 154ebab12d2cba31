/** Lifetimes of computed results: counted, freed with their last handle, or at the end of a scope. */
import { Tensor } from "../tensor.js";
import type { Node } from "./node.js";
import { dropHold, type Pool, type Storage } from "./storage.js";

export class Results {
  /** Results whose memory is held. */
  live = 0;
  private readonly scopes: Set<Storage>[] = [];
  /** A net for results made outside of every scope: their memory returns when the last handle has been collected. */
  private readonly collected = new FinalizationRegistry<Storage>((storage) => this.release(storage));

  constructor(private readonly pool: Pool | undefined) {}

  track(storage: Storage, node: Node): void {
    this.live++;
    this.scopes.at(-1)?.add(storage);
    this.collected.register(node, storage);
  }

  /** Runs `fn` and frees every result computed inside that it does not return. */
  async scope<T>(fn: () => Promise<T>): Promise<T> {
    const made = new Set<Storage>();
    this.scopes.push(made);
    const kept = new Set<Storage>();
    try {
      const result = await fn();
      keep(result, kept);
      return result;
    } finally {
      const outer = this.scopes[this.scopes.indexOf(made) - 1];
      this.scopes.splice(this.scopes.indexOf(made), 1);
      for (const storage of made) {
        if (kept.has(storage)) outer?.add(storage);
        else this.release(storage);
      }
    }
  }

  private release(storage: Storage): void {
    if (storage.released) return;
    storage.released = true;
    storage.array = undefined;
    this.live--;
    dropHold(storage, this.pool);
  }
}

/** Collects the storages of all tensors in a value (arrays and plain objects are searched). */
function keep(value: unknown, kept: Set<Storage>): void {
  if (value instanceof Tensor) {
    for (const storage of value.node.storages) if (storage) kept.add(storage);
  } else if (Array.isArray(value)) {
    for (const v of value) keep(v, kept);
  } else if (value && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    for (const v of Object.values(value)) keep(v, kept);
  }
}
