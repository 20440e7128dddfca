import type { Line } from '../log/wake-up.ts';

/**
 * A tiny fact that is forgotten at once: it holds of somebody, at a place or everywhere, for so many milliseconds from when
 * it is heard; 0: no longer. It carries no content, and to lose one must do no harm.
 */
export interface Signal {
  readonly kind: string;
  readonly placeId: string | null;
  readonly userId: string;
  readonly forMs: number;
}

/** Who listens. What the process says itself is heard at once, and by the same name of the process as at others. */
export interface Ear {
  heard(signal: Signal, processId: string): void;
  /** A process has begun to listen, or listens again, and has missed everything: say once more what holds. */
  asked?(): void;
}

/** How long a process collects what it has to say. */
const collectMs = 200;
/** NOTIFY takes less than 8,000 bytes. */
const packetLength = 7_500;
/** Ids that one piece of a packet names at most, each in 39 characters. */
const idsInPiece = 100;

type Piece = [kind: string, placeId: string | null, forMs: number, userIds: string[]];

interface Packet {
  readonly from: string;
  readonly asks?: boolean;
  readonly says: readonly Piece[];
}

/** Signals between all processes of an installation, around the log: a few statements a second at most, and none in a command. */
export class Signals implements AsyncDisposable {
  readonly processId = crypto.randomUUID();
  readonly #line: Line;
  readonly #onFailure: (error: unknown) => void;
  readonly #ears = new Set<Ear>();
  #collected = new Map<string, Signal>();
  #asks = false;
  #timer: NodeJS.Timeout | null = null;
  #telling: Promise<void> | null = null;
  #hearing: AsyncDisposable | null = null;
  #over = false;

  private constructor(line: Line, onFailure: (error: unknown) => void) {
    this.#line = line;
    this.#onFailure = onFailure;
  }

  static async open(line: Line, onFailure: (error: unknown) => void): Promise<Signals> {
    const signals = new Signals(line, onFailure);
    signals.#hearing = await line.hear(
      (text) => signals.#hear(text),
      () => {
        signals.#asks = true;
        signals.#collect();
      },
    );
    return signals;
  }

  listen(ear: Ear): Disposable {
    this.#ears.add(ear);
    return { [Symbol.dispose]: () => this.#ears.delete(ear) };
  }

  /** Says something: here at once, to all other processes within moments. Of what is said twice meanwhile the last counts. */
  publish(...signals: readonly Signal[]): void {
    for (const signal of signals) {
      this.#collected.set([signal.kind, signal.placeId, signal.userId].join(), signal);
      for (const ear of this.#ears) ear.heard(signal, this.processId);
    }
    this.#collect();
  }

  #collect(): void {
    if (this.#over || this.#telling) return;
    this.#timer ??= setTimeout(() => void this.#tell(), collectMs);
  }

  /** What was collected while this was under way waits for the next time. */
  async #tell(): Promise<void> {
    this.#timer = null;
    const texts = packets(this.processId, this.#asks, [...this.#collected.values()]);
    this.#collected = new Map();
    this.#asks = false;
    this.#telling = this.#line
      .tell(texts)
      .catch(this.#onFailure)
      .finally(() => {
        this.#telling = null;
        if (this.#collected.size > 0 || this.#asks) this.#collect();
      });
    await this.#telling;
  }

  #hear(text: string): void {
    const packet = packetOf(text);
    if (!packet || packet.from === this.processId) return;
    for (const [kind, placeId, forMs, userIds] of packet.says) {
      for (const userId of userIds) {
        for (const ear of this.#ears) ear.heard({ kind, placeId, userId, forMs }, packet.from);
      }
    }
    if (packet.asks) for (const ear of this.#ears) ear.asked?.();
  }

  /** Says its last words. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#telling;
    if (this.#collected.size > 0) await this.#tell();
    await this.#hearing?.[Symbol.asyncDispose]();
  }
}

/** What is to be said as few texts, each short enough. */
function packets(from: string, asks: boolean, signals: readonly Signal[]): string[] {
  const same = Map.groupBy(signals, ({ kind, placeId, forMs }) => JSON.stringify([kind, placeId, forMs]));
  const pieces = [...same.values()].flatMap((alike) =>
    Array.from({ length: Math.ceil(alike.length / idsInPiece) }, (_, at) =>
      pieceOf(alike.slice(at * idsInPiece, (at + 1) * idsInPiece)),
    ),
  );
  const filled: Piece[][] = [[]];
  let length = 0;
  for (const piece of pieces) {
    const size = JSON.stringify(piece).length + 1;
    if (length + size > packetLength) {
      filled.push([]);
      length = 0;
    }
    filled.at(-1)?.push(piece);
    length += size;
  }
  return filled.map((says, at) => JSON.stringify({ from, ...(asks && at === 0 ? { asks } : {}), says }));
}

function pieceOf(alike: readonly Signal[]): Piece {
  const [{ kind, placeId, forMs } = nothing] = alike;
  return [kind, placeId, forMs, alike.map(({ userId }) => userId)];
}

const nothing: Signal = { kind: '', placeId: null, userId: '', forMs: 0 };

/** Null: not a packet of a version that this one knows. */
function packetOf(text: string): Packet | null {
  try {
    const packet: Packet = JSON.parse(text); // another process of ours wrote it, or what follows fails
    return packet.says.every(([, , forMs, userIds]) => Number.isFinite(forMs) && Array.isArray(userIds))
      ? packet
      : null;
  } catch {
    return null;
  }
}
