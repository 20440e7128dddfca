import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';
import {
  CloseCode,
  type ConnectionInitMessage,
  type Message,
  MessageType,
  parseMessage,
  type SubscribeMessage,
  stringifyMessage,
} from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Holder } from '../log/reader.ts';
import type { Viewer } from '../viewer.ts';
import type { Asking, ViewerContext } from './context.ts';
import { parseJson } from './json.ts';
import { isSubscription, type Operation, type Operations, type Subscription } from './operations.ts';
import { Outbox } from './outbox.ts';
import { parametersIn } from './parameters.ts';
import { Refusal } from './refusals.ts';
import { SocketOperation } from './socket-operation.ts';

/** Close codes beyond graphql-ws's own; stock clients retry all of these. */
export const closeCodes = { drain: 1012, overload: 1013, sessionEnded: 4403 } as const;

const operationsPerSocket = 50;
/** How long it counts as a moment ago that a socket was opened. */
const newcomerMs = 5_000;
/** How long a socket has to say its last words when its session ends. */
const lastWordsMs = 500;

const tooManyOperations = new Refusal(
  'TOO_MANY_OPERATIONS',
  `At most ${operationsPerSocket} operations at once on one socket.`,
);

/** What a connection asks of the server it is one of. */
export interface Host {
  readonly operations: Operations;
  /** Lets a connection in that names its session by this token; closes it, and answers false, where it may not. */
  admit(connection: Connection, token: string | null): Promise<boolean>;
  left(connection: Connection): void;
}

/**
 * One WebSocket that speaks graphql-transport-ws. graphql-ws reads and writes the messages; what follows from them is here,
 * because its own server keeps a suspended call, the message's text and half a dozen closures for each subscription, and
 * there are thousands of them.
 */
export class Connection implements Holder {
  readonly socket: WebSocket;
  readonly outbox: Outbox;
  readonly openedAt = performance.now();
  asking: Asking;
  userId = '';
  sessionId = '';
  /** Whether it has answered since it was last asked. */
  answers = true;
  readonly #host: Host;
  readonly #stream: Duplex;
  #state: 'NEW' | 'INITIALISING' | 'ADMITTED' = 'NEW';
  /** Who was let in, until the first that they follow. */
  #newcomer: Viewer | null = null;
  #running: SocketOperation[] = [];

  constructor(host: Host, socket: WebSocket, stream: Duplex, asking: Asking) {
    this.#host = host;
    this.socket = socket;
    this.#stream = stream;
    this.outbox = new Outbox(stream);
    this.asking = asking;
    socket.on('message', (data) => this.#hear(String(data)));
    socket.on('pong', () => {
      this.answers = true;
    });
    // What breaks the rules of WebSocket itself, like too large a message, has closed the socket already.
    socket.on('error', ignore);
    socket.once('close', () => this.#closed());
  }

  /** Names the session that the socket belongs to from now on. */
  belongTo(viewer: Viewer, token: string): void {
    this.userId = viewer.userId;
    this.sessionId = viewer.sessionId;
    this.asking = { ...this.asking, token };
    this.#newcomer = viewer;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Has not said who it is. */
  get isSilent(): boolean {
    return this.#state === 'NEW';
  }

  #hear(data: string): void {
    const message = messageOf(data);
    if (message?.type === MessageType.ConnectionInit) this.#initialise(message).catch(() => this.overload());
    else if (message?.type === MessageType.Subscribe) this.#subscribe(message);
    else if (message?.type === MessageType.Complete) this.#operation(message.id)?.cancel();
    else if (message?.type === MessageType.Ping) this.#say({ type: MessageType.Pong });
    else if (message?.type !== MessageType.Pong) this.close(CloseCode.BadRequest, 'Invalid message received');
  }

  async #initialise({ payload }: ConnectionInitMessage): Promise<void> {
    if (this.#state !== 'NEW') {
      this.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
      return;
    }
    this.#state = 'INITIALISING';
    if (!(await this.#host.admit(this, tokenOf(payload) ?? this.asking.token))) return;
    this.#state = 'ADMITTED';
    this.#say({ type: MessageType.ConnectionAck });
  }

  #operation(id: string): SocketOperation | undefined {
    return this.#running.find((operation) => operation.id === id);
  }

  #subscribe({ id, payload }: SubscribeMessage): void {
    if (this.#state !== 'ADMITTED') {
      this.close(CloseCode.Unauthorized, 'Unauthorized');
    } else if (this.#operation(id)) {
      this.close(CloseCode.SubscriberAlreadyExists, 'Subscriber already exists');
    } else if (this.#running.length >= operationsPerSocket) {
      this.#sayErrors(id, [tooManyOperations]);
    } else {
      const operation = new SocketOperation(this, id);
      this.#running.push(operation);
      this.#perform(operation, payload).catch(() => this.overload());
    }
  }

  /** Does what is asked for, as HTTP does; what is wrong is an error message, never a closed socket. */
  async #perform(operation: SocketOperation, payload: SubscribeMessage['payload']): Promise<void> {
    const outcome = await this.#outcome(payload);
    // Called off meanwhile.
    if (!this.#running.includes(operation)) {
      if ('plan' in outcome) outcome.follower.close();
    } else if ('plan' in outcome) {
      operation.deliver(outcome);
    } else if ('refused' in outcome) {
      this.forget(operation);
      this.#sayErrors(operation.id, outcome.refused);
    } else {
      const errors = outcome.errors?.map(withoutHttp);
      this.#say({
        id: operation.id,
        type: MessageType.Next,
        payload: errors ? { ...outcome, errors } : { data: outcome.data },
      });
      this.complete(operation);
    }
  }

  async #outcome(payload: SubscribeMessage['payload']): Promise<Outcome> {
    const { operations } = this.#host;
    try {
      const { query, operationName, variables } = parametersIn(payload);
      // Whether they may ask so often is asked before there is any work.
      const known = operations.known(query);
      const follows = known !== null && isSubscription({ document: known, operationName });
      const context = (follows && this.#welcome()) || (await operations.context(this.asking));
      const document = known ?? operations.parse(query, context);
      const errors = operations.validate(document);
      if (errors.length > 0) return { refused: errors };
      const operation: Operation = { document, operationName, variables };
      if (isSubscription(operation)) return await operations.subscribe(operation, context);
      return await operations.execute(operation, context);
    } catch (error) {
      if (error instanceof GraphQLError) return { refused: [error] };
      throw error;
    }
  }

  /** Who follows something as soon as they are let in was asked who they are a moment ago. */
  #welcome(): ViewerContext | null {
    const newcomer = performance.now() - this.openedAt < newcomerMs ? this.#newcomer : null;
    this.#newcomer = null;
    return newcomer && this.#host.operations.contextOf(this.asking, newcomer);
  }

  /** Says that an operation is over. */
  complete(operation: SocketOperation): void {
    if (this.forget(operation)) this.#say({ id: operation.id, type: MessageType.Complete });
  }

  forget(operation: SocketOperation): boolean {
    const place = this.#running.indexOf(operation);
    if (place >= 0) this.#running.splice(place, 1);
    return place >= 0;
  }

  #sayErrors(id: string, errors: readonly GraphQLError[]): void {
    this.#say({ id, type: MessageType.Error, payload: errors.map(withoutHttp) });
  }

  #say(message: Message): void {
    if (!this.isOpen) return;
    this.outbox.gather();
    this.socket.send(stringifyMessage(message));
    this.#mindRoom();
  }

  /** Sends a frame that is already made. Without compression `ws` writes frames whole, so this one stands between two. */
  sendFrame(frame: Buffer): void {
    if (!this.isOpen) return;
    this.outbox.gather();
    this.#stream.write(frame);
    this.#mindRoom();
  }

  #mindRoom(): void {
    if (!this.outbox.full || this.socket.isPaused) return;
    // Who does not read is not listened to either.
    this.socket.pause();
    this.outbox.whenRoom(() => this.socket.resume());
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  /** Nothing of an unexpected error leaves, and the code is one that clients retry. */
  overload(): void {
    this.close(closeCodes.overload, 'Try again');
  }

  /** Its streams have something to say yet. */
  async sessionEnded(): Promise<void> {
    await sleep(lastWordsMs, undefined, { ref: false });
    this.close(closeCodes.sessionEnded, 'Session ended');
  }

  comeBack(): void {
    this.overload();
  }

  #closed(): void {
    for (const operation of [...this.#running]) operation.cancel();
    this.#host.left(this);
  }
}

type Outcome = Subscription | ExecutionResult | { readonly refused: readonly GraphQLError[] };

const ignore = () => {};

function messageOf(data: string): Message | null {
  try {
    return parseMessage(parseJson(data) as Message); // it looks at what it is given, of whatever shape
  } catch {
    return null;
  }
}

/** `Bearer …` or the bare token. */
function tokenOf(params: Record<string, unknown> | null | undefined): string | null {
  const given = params?.authorization ?? params?.Authorization;
  return typeof given === 'string' ? given.replace(/^Bearer /, '') : null;
}

/** The hints for HTTP's status mean nothing on a socket. */
function withoutHttp(error: GraphQLError): GraphQLFormattedError {
  const { http: _http, ...extensions } = error.extensions;
  return { ...error.toJSON(), extensions };
}
