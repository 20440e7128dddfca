/** What is heard, kept so small that every delivery to every socket can be checked. */
import { decodeCursor } from '../../../src/log/cursor.ts';

/** The cursors that this process has met, numbered as they came. Thousands of sockets hear the same ones. */
export class Cursors {
  readonly #indexes = new Map<string, number>();
  readonly #cursors: string[] = [];
  readonly #positions: number[] = [];

  indexOf(cursor: string): number {
    const known = this.#indexes.get(cursor);
    if (known !== undefined) return known;
    const index = this.#positions.push(decodeCursor(cursor).position) - 1;
    this.#cursors.push(cursor);
    this.#indexes.set(cursor, index);
    return index;
  }

  cursorOf(index: number): string | null {
    return this.#cursors[index] ?? null;
  }

  positionOf(index: number): number {
    return this.#positions[index] ?? Number.NaN;
  }

  /** The numbers of some positions; −1 for one that nobody has met. */
  indexesOf(positions: readonly number[]): number[] {
    const indexes = new Map(this.#positions.map((position, index) => [position, index]));
    return positions.map((position) => indexes.get(position) ?? -1);
  }
}

/** Which events one subscription has heard: a bit each. */
export class Heard {
  /** Different events. */
  count = 0;
  duplicates = 0;
  outOfOrder = 0;
  #bits = new Uint8Array(16);
  #last = 0;

  add(index: number, position: number): void {
    if (this.has(index)) {
      this.duplicates++;
      return;
    }
    const byte = index >> 3;
    if (byte >= this.#bits.length) {
      const grown = new Uint8Array(2 * byte);
      grown.set(this.#bits);
      this.#bits = grown;
    }
    this.#bits[byte] = (this.#bits[byte] ?? 0) | (1 << (index & 7));
    this.count++;
    if (position < this.#last) this.outOfOrder++;
    else this.#last = position;
  }

  has(index: number): boolean {
    return index >= 0 && ((this.#bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }
}

/** When the events of one group of subscriptions arrived, in milliseconds of the bench's clock. */
export class Arrivals {
  readonly #byIndex: number[][] = [];

  add(index: number, at: number): void {
    const times = this.#byIndex[index];
    if (times) times.push(at);
    else this.#byIndex[index] = [at];
  }

  of(index: number): readonly number[] {
    return this.#byIndex[index] ?? [];
  }
}
