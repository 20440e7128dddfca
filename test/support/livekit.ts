import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AccessToken, TokenVerifier } from 'livekit-server-sdk';
import type { ConferencingConfig } from '../../src/config.ts';
import { parseGlobalId } from '../../src/graphql/ids.ts';
import type { TestApp } from './app.ts';
import type { Json } from './client.ts';

const apiKey = 'homeroom-key';
const apiSecret = 'a secret of more than thirty-two characters';

/** What was asked of the server, and what the asker’s token allows. */
export interface Asked {
  readonly method: string;
  readonly body: Json;
  readonly video: Json;
}

/** As much of a LiveKit server as can be told to close rooms and to send people out, and tells what happens in them. */
export class LiveKit implements AsyncDisposable {
  readonly config: ConferencingConfig;
  readonly asked: Asked[] = [];
  /** What it answers: 200, or as a server that knows no such room, or one that is in trouble. */
  status: 200 | 404 | 500 = 200;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.config = { url: `ws://127.0.0.1:${port}`, apiKey, apiSecret };
  }

  static async start(): Promise<LiveKit> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // listening on TCP
    const livekit = new LiveKit(server, port);
    server.on('request', async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const method = request.url?.split('/').at(-1) ?? '';
      const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
      const claims = await new TokenVerifier(apiKey, apiSecret).verify(token).catch(() => null);
      const status = claims ? livekit.status : 401;
      if (claims && request.url?.startsWith('/twirp/livekit.RoomService/'))
        livekit.asked.push({ method, body: JSON.parse(Buffer.concat(chunks).toString()), video: claims.video });
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(status === 200 ? {} : { code: 'not_found', msg: 'no such room' }));
    });
    return livekit;
  }

  /** What was asked about a room, by method. */
  about(room: string, method: string): Asked[] {
    return this.asked.filter((one) => one.method === method && one.body.room === room);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** The room of a meeting, by its id in the API. */
export const roomOf = (meetingId: string): string => `meeting-${parseGlobalId(meetingId)?.id}`;

/** What LiveKit’s webhooks tell of somebody’s connection, or of a room. */
export const told = (event: string, room: string, more: Json = {}): Json => {
  const { at = new Date(), identity, sid, joinedAt = at, ...rest } = more;
  const participant = identity ? { identity, sid, joinedAt: seconds(joinedAt), joinedAtMs: String(+joinedAt) } : null;
  return {
    event,
    id: `EV_${randomUUID()}`,
    createdAt: seconds(at),
    room: { name: room, sid: 'RM_1' },
    ...(participant && { participant }),
    ...rest,
  };
};

const seconds = (at: Date): string => String(Math.floor(at.getTime() / 1000));

export interface Signing {
  readonly key?: string;
  readonly secret?: string;
  /** What the signature is of, if not of what is sent. */
  readonly signed?: string;
}

/** Sends a webhook as LiveKit does: the token names the hash of the body. Answers with the status. */
export async function webhook(app: TestApp, event: Json, signing: Signing = {}): Promise<number> {
  const body = JSON.stringify(event);
  const token = new AccessToken(signing.key ?? apiKey, signing.secret ?? apiSecret, { ttl: 300 });
  token.sha256 = createHash('sha256')
    .update(signing.signed ?? body)
    .digest('base64');
  return post(app, body, { authorization: await token.toJwt() });
}

/** Sends anything to where LiveKit’s webhooks come in. */
export async function post(app: TestApp, body: string, headers: Record<string, string>): Promise<number> {
  const url = new URL('/livekit/webhook', app.url);
  const sent = { 'content-type': 'application/webhook+json', ...headers };
  return (await fetch(url, { method: 'POST', headers: sent, body })).status;
}
