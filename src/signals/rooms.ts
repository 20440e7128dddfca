import type { Company } from '../log/source.ts';
import { type Attendance, online } from './attendance.ts';
import type { Board } from './board.ts';
import { Room, type RoomOptions } from './room.ts';

/** The kind of signal that tells that somebody writes at a place. */
export const typing = 'TYPING';

export interface RoomsOptions<Person> extends Omit<RoomOptions<Person>, 'stateOf'> {
  readonly board: Board;
  readonly attendance: Attendance;
}

/** The places at which somebody of this process looks: who is there, and who writes there. */
export class Rooms<Person> {
  readonly #options: RoomOptions<Person>;
  readonly #byPlace = new Map<string, Room<Person>>();
  readonly #byAudience = new Map<string, Room<Person>>();

  constructor({ board, attendance, ...options }: RoomsOptions<Person>) {
    this.#options = {
      ...options,
      stateOf: (placeId, userId) => ({
        isOnline: attendance.isHere(userId),
        isTyping: board.holds(typing, placeId, userId),
      }),
    };
    board.watch((kind, placeId, userId) => {
      if (placeId !== null) this.#byPlace.get(placeId)?.changed(userId);
      else if (kind === online) for (const room of this.#byPlace.values()) room.changed(userId);
    });
  }

  /** How many there are: none while nobody looks. */
  get size(): number {
    return this.#byPlace.size;
  }

  /** Tells whoever follows a place's audience who is there. */
  at(placeId: string): Company {
    return {
      joined: (follower) => {
        const audienceId = follower.topic.anchor.id;
        const room = this.#byPlace.get(placeId) ?? new Room(placeId, this.#options);
        this.#byPlace.set(placeId, room);
        this.#byAudience.set(audienceId, room);
        room.joined(follower);
      },
      left: (follower) => {
        if (!this.#byPlace.get(placeId)?.left(follower)) return;
        this.#byPlace.delete(placeId);
        this.#byAudience.delete(follower.topic.anchor.id);
      },
    };
  }

  /** Who is at the place of an audience may be others now. */
  accessChanged(audienceId: string): void {
    this.#byAudience.get(audienceId)?.peopleChanged();
  }

  /** Who is told of somebody may be others now. */
  personChanged(userId: string): void {
    for (const room of this.#byPlace.values()) if (room.mayHold(userId)) room.peopleChanged();
  }
}
