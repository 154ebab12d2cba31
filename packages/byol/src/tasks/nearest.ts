/** The k greatest of a stream of similarities: a heap with the least of them at its root. */

export interface Neighbour {
  /** Row in the bank. */
  readonly place: number;
  /** Cosine, or minus the squared Euclidean distance. */
  readonly similarity: number;
}

export class Nearest {
  private readonly places: Int32Array;
  private readonly similarities: Float64Array;
  private size = 0;

  constructor(k: number) {
    this.places = new Int32Array(k);
    this.similarities = new Float64Array(k);
  }

  /** Of equal similarities those that were offered first stay. */
  offer(place: number, similarity: number): void {
    if (this.size < this.places.length) {
      this.put(this.size, place, similarity);
      this.size++;
      if (this.size === this.places.length) for (let at = (this.size >> 1) - 1; at >= 0; at--) this.sink(at);
    } else if (similarity > this.similarities[0]!) {
      this.put(0, place, similarity);
      this.sink(0);
    }
  }

  /** The greatest first. */
  sorted(): Neighbour[] {
    return Array.from({ length: this.size }, (_, i) => ({
      place: this.places[i]!,
      similarity: this.similarities[i]!,
    })).sort((a, b) => b.similarity - a.similarity || a.place - b.place);
  }

  private put(at: number, place: number, similarity: number): void {
    this.places[at] = place;
    this.similarities[at] = similarity;
  }

  /** Whether entry i should leave before entry j. */
  private weaker(i: number, j: number): boolean {
    const [a, b] = [this.similarities[i]!, this.similarities[j]!];
    return a < b || (a === b && this.places[i]! > this.places[j]!);
  }

  private sink(root: number): void {
    for (let at = root; ; ) {
      let child = 2 * at + 1;
      if (child >= this.size) return;
      if (child + 1 < this.size && this.weaker(child + 1, child)) child++;
      if (!this.weaker(child, at)) return;
      const [place, similarity] = [this.places[at]!, this.similarities[at]!];
      this.put(at, this.places[child]!, this.similarities[child]!);
      this.put(child, place, similarity);
      at = child;
    }
  }
}
