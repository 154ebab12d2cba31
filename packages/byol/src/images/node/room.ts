/** Memory that several share: who wants more than is left waits for the others. */
export class Room {
  private taken = 0;
  private readonly waiting: { readonly bytes: number; readonly enter: () => void }[] = [];

  constructor(private readonly bytes: number) {}

  /** Calls `work` when so many bytes are left; in the order of the calls. One that wants all there is has it alone. */
  async hold<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const wanted = Math.min(bytes, this.bytes);
    await new Promise<void>((enter) => {
      this.waiting.push({ bytes: wanted, enter });
      this.admit();
    });
    try {
      return await work();
    } finally {
      this.taken -= wanted;
      this.admit();
    }
  }

  private admit(): void {
    for (
      let first = this.waiting[0];
      first && this.taken + first.bytes <= this.bytes;
      first = this.waiting[0]
    ) {
      this.waiting.shift();
      this.taken += first.bytes;
      first.enter();
    }
  }
}
