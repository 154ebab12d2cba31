/**
 * Order without waiting: work runs at once when nothing is ahead of it, else after what is. Programs may have to be
 * compiled first (asynchronously); uploads, runs and reads recorded after them keep their order.
 */
export class Queue {
  private tail: Promise<unknown> | undefined;
  private readonly operations = new Set<Promise<unknown>>();

  enqueue<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.tail ? this.tail.then(work) : start(work);
    if (!this.tail && !isPending(result)) return result.settled;
    const promise = isPending(result) ? result : result.settled;
    const tail: Promise<void> = promise.then(
      () => this.drop(tail),
      () => this.drop(tail),
    );
    this.tail = tail;
    return promise;
  }

  private drop(tail: Promise<unknown>): void {
    if (this.tail === tail) this.tail = undefined;
  }

  /** Starts something that enqueues several pieces of work, with waiting in between; `finished` waits for it as a whole. */
  during<T>(operation: () => Promise<T>): Promise<T> {
    const promise = operation();
    const drop = (): boolean => this.operations.delete(promise);
    this.operations.add(promise);
    promise.then(drop, drop);
    return promise;
  }

  /** Resolves when nothing is under way any more. */
  async finished(): Promise<void> {
    while (this.tail || this.operations.size > 0) await Promise.allSettled([this.tail, ...this.operations]);
  }

  /** Resolves when everything enqueued so far has been started and has finished its host part. */
  async drained(): Promise<void> {
    while (this.tail) await this.tail;
  }
}

interface Settled<T> {
  readonly settled: Promise<T>;
}
const isPending = <T>(r: Promise<T> | Settled<T>): r is Promise<T> => r instanceof Promise;

function start<T>(work: () => T | Promise<T>): Promise<T> | Settled<T> {
  try {
    const value = work();
    return value instanceof Promise ? value : { settled: Promise.resolve(value) };
  } catch (error) {
    return { settled: Promise.reject(error) };
  }
}
