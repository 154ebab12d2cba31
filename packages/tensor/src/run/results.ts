/** Lifetimes of computed results: counted, freed with their last handle, or at the end of a scope. */
import { Tensor } from "../tensor.js";
import { type Node, nodeClock } from "../graph/node.js";
import type { Storage } from "../graph/storage.js";

/** Results that may come on top before the event loop gets a turn. */
const TURN_EVERY = 32;

interface Scope {
  /** Nodes recorded before this are not the scope's own, wherever they are computed. */
  readonly since: number;
  readonly made: Set<Storage>;
}

export class Results {
  /** Results whose memory is held. */
  live = 0;
  private readonly scopes: Scope[] = [];
  /** A net for results made outside of every scope: their memory returns when the last handle has been collected. */
  private readonly collected = new FinalizationRegistry<Storage>((storage) => this.release(storage));

  private liveAtLastTurn = 0;

  /** @param free gives up what a storage holds */
  constructor(private readonly free: (storage: Storage) => void) {}

  track(storage: Storage, node: Node): void {
    this.live++;
    this.scopes.findLast((scope) => scope.since <= node.id)?.made.add(storage);
    this.collected.register(node, storage);
  }

  /**
   * Gives the event loop a turn now and then, when results pile up: only then may the engine tell which handles it has
   * collected. A loop on a device that computes at once would never leave its microtasks.
   */
  async letGo(): Promise<void> {
    this.liveAtLastTurn = Math.min(this.liveAtLastTurn, this.live);
    if (this.live - this.liveAtLastTurn < TURN_EVERY) return;
    this.liveAtLastTurn = this.live;
    await new Promise<void>((done) => {
      if (typeof setImmediate === "function") setImmediate(done);
      else setTimeout(done);
    });
  }

  /** Runs `fn` and frees every result recorded and computed inside that it does not return. */
  async scope<T>(fn: (since: number) => Promise<T>): Promise<T> {
    const scope: Scope = { since: nodeClock(), made: new Set() };
    this.scopes.push(scope);
    const kept = new Set<Storage>();
    try {
      const result = await fn(scope.since);
      for (const { node } of tensorsIn(result))
        for (const storage of node.storages) if (storage) kept.add(storage);
      return result;
    } finally {
      const outer = this.scopes[this.scopes.indexOf(scope) - 1];
      this.scopes.splice(this.scopes.indexOf(scope), 1);
      for (const storage of scope.made) {
        if (kept.has(storage)) outer?.made.add(storage);
        else this.release(storage);
      }
    }
  }

  private release(storage: Storage): void {
    if (storage.released) return;
    storage.released = true;
    this.live--;
    this.free(storage);
  }
}

/** All tensors in a value (arrays and plain objects are searched). */
export function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  if (value && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
    return Object.values(value).flatMap(tensorsIn);
  return [];
}
