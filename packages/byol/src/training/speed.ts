/** Images a second over the last steps. The first step compiles and is left out as soon as there are others. */
export class Speed {
  private readonly times: number[] = [];
  private readonly started = performance.now();
  constructor(private readonly batch: number) {}
  tick(): number {
    const now = performance.now();
    this.times.push(now);
    if (this.times.length > 20) this.times.shift();
    const steps = this.times.length - 1;
    return steps === 0
      ? (1000 * this.batch) / (now - this.started)
      : (1000 * this.batch * steps) / (now - this.times[0]!);
  }
}
