/** A turn for everything else: the cpu device computes without ever going back to the event loop. */

/** Lets the event loop run once: signals, timers and decoders get their turn. */
const eventLoop = (): Promise<void> =>
  new Promise((done) => {
    if (typeof setImmediate === "function") return void setImmediate(done);
    // A page's timers wait for four milliseconds, and for a second where nobody looks at it.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done();
    };
    port2.postMessage(undefined);
  });

/**
 * Lets the event loop run once, so that signals and decoders get their turn.
 *
 * @throws the reason of `signal` where it is aborted by then
 */
export async function turn(signal?: AbortSignal): Promise<void> {
  await eventLoop();
  signal?.throwIfAborted();
}

/**
 * What `work` comes to, or the reason of `signal` thrown as soon as it is aborted, however long `work` would take.
 */
export async function unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
