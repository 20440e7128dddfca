import { AccessToken, RoomServiceClient, ServerError, type WebhookEvent, WebhookReceiver } from 'livekit-server-sdk';
import type { ConferencingConfig } from '../config.ts';

/** A room in which people see and hear each other. */
export interface Room {
  readonly roomKind: 'MEETING' | 'CALL';
  readonly roomId: string;
}

/** With this somebody enters a room, until then; who is in stays in. */
export interface JoinTicket {
  readonly url: string;
  readonly token: string;
  /** Who they are to others in the room. */
  readonly identity: string;
  readonly expiresAt: Date;
}

/** What the server tells of somebody's connection to a room, or of the room itself. */
export interface RoomReport {
  /** The same when it is told again. */
  readonly id: string;
  readonly room: Room;
  readonly told: 'JOINED' | 'LEFT' | 'FINISHED';
  /** Of whom, and through which of their connections; null where the room is FINISHED. */
  readonly stay: RoomStay | null;
  readonly at: Date;
}

export interface RoomStay {
  readonly identity: string;
  readonly sid: string;
  /** When it began, where that is told. */
  readonly since: Date | null;
  /** It has ended because another device of the same person came in. */
  readonly isReplaced: boolean;
}

const ticketS = 5 * 60;
/** A webhook whose signature is good may still be an old one. */
const maxAgeMs = 10 * 60_000;
const deadlineS = 10;

/** A LiveKit server. It learns who may be in which room, and nobody's name. */
export class Conferencing {
  readonly #config: ConferencingConfig;
  readonly #rooms: RoomServiceClient;
  readonly #receiver: WebhookReceiver;

  constructor(config: ConferencingConfig) {
    this.#config = config;
    const { url, apiKey, apiSecret } = config;
    this.#rooms = new RoomServiceClient(url.replace(/^ws/, 'http'), apiKey, apiSecret, { requestTimeout: deadlineS });
    this.#receiver = new WebhookReceiver(apiKey, apiSecret);
  }

  async ticketFor(room: Room, identity: string): Promise<JoinTicket> {
    const { url, apiKey, apiSecret } = this.#config;
    const token = new AccessToken(apiKey, apiSecret, { identity, ttl: ticketS });
    // What is written belongs into the chat, where it is kept and seen by those who answer for it.
    token.addGrant({ roomJoin: true, room: nameOf(room), canPublishData: false, canUpdateOwnMetadata: false });
    const expiresAt = new Date(Math.floor(Date.now() / 1000 + ticketS) * 1000);
    return { url, identity, token: await token.toJwt(), expiresAt };
  }

  /** Sends everybody out. Of a room that is not there it is done. */
  closeRoom(room: Room): Promise<void> {
    return done(this.#rooms.deleteRoom(nameOf(room)));
  }

  /** Sends one person out; the tickets that they have are void. Of who is not there it is done. */
  sendOut(room: Room, identity: string): Promise<void> {
    const revokeTokenTs = BigInt(Math.ceil(Date.now() / 1000));
    return done(this.#rooms.removeParticipant(nameOf(room), identity, { revokeTokenTs }));
  }

  /**
   * What a webhook says; null: nothing that matters here. @throws when LiveKit has not signed it, or long ago
   */
  async reportIn(body: string, authorization: string | undefined): Promise<RoomReport | null> {
    const event = await this.#receiver.receive(body, authorization);
    const at = new Date(Number(event.createdAt) * 1000);
    if (Math.abs(Date.now() - at.getTime()) > maxAgeMs) throw new Error('the webhook is too old');
    if (!event.id) throw new Error('the webhook has no id');
    const told = kinds[event.event];
    const room = roomOf(event.room?.name ?? '');
    if (!told || !room) return null;
    const stay = told === 'FINISHED' ? null : stayIn(event);
    if (told !== 'FINISHED' && !stay) return null;
    return { id: event.id, room, told, stay, at };
  }
}

const kinds: Readonly<Record<string, RoomReport['told'] | undefined>> = {
  participant_joined: 'JOINED',
  participant_left: 'LEFT',
  participant_connection_aborted: 'LEFT',
  room_finished: 'FINISHED',
};

/** `DisconnectReason.DUPLICATE_IDENTITY` of LiveKit's protocol, which its server SDK does not export. */
const duplicateIdentity = 2;

const nameOf = ({ roomKind, roomId }: Room): string => `${roomKind.toLowerCase()}-${roomId}`;

function roomOf(name: string): Room | null {
  const [, kind, roomId] = /^(meeting|call)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(name) ?? [];
  return kind && roomId ? { roomKind: kind === 'call' ? 'CALL' : 'MEETING', roomId } : null;
}

function stayIn({ participant }: WebhookEvent): RoomStay | null {
  if (!participant) return null;
  const { identity, sid, joinedAt, joinedAtMs, disconnectReason } = participant;
  const since = Number(joinedAtMs) || Number(joinedAt) * 1000;
  return { identity, sid, since: since ? new Date(since) : null, isReplaced: disconnectReason === duplicateIdentity };
}

async function done(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!(error instanceof ServerError && error.status === 404)) throw error;
  }
}
