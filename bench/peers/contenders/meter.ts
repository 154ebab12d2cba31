/** Reads off a Dawnstrap device what its counters do not tell: bytes bound, and the time that encoding takes. */
import type { Device } from "@dawnstrap/tensor";

type Backend = NonNullable<Device["backend"]>;

interface Program {
  readonly calls: number;
  readonly bytes: number;
}

export class Meter {
  private readonly backend: Backend;
  private readonly programs: Program[] = [];
  private hostMs = 0;

  constructor(device: Device) {
    this.backend = device.backend!;
    const prepare = this.backend.prepare.bind(this.backend);
    this.backend.prepare = async (calls, onProgress) => {
      const program = await prepare(calls, onProgress);
      const bytes = calls.reduce(
        (total, call) => total + call.bindings.reduce((sum, b) => sum + b.bytes, 0),
        0,
      );
      this.programs.push({ calls: calls.length, bytes });
      const run = program.run.bind(program);
      program.run = () => {
        const start = performance.now();
        run();
        this.hostMs += performance.now() - start;
      };
      return program;
    };
  }

  counters(): Backend["counters"] {
    return { ...this.backend.counters };
  }

  /** Bytes of all bindings of the latest program of so many calls. */
  bytesOf(calls: number): number {
    return this.programs.findLast((p) => p.calls === calls)?.bytes ?? Number.NaN;
  }

  /** Least host time per dispatch over a few runs: whatever else the machine does only adds to it. */
  async hostMicros(run: () => Promise<void>): Promise<number> {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const [before, ms] = [this.backend.counters.dispatches, this.hostMs];
      await run();
      best = Math.min(best, ((this.hostMs - ms) * 1000) / (this.backend.counters.dispatches - before));
    }
    return best;
  }
}
