import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { RateLimiterDrizzle } from 'rate-limiter-flexible';
import { keepSessions } from './accounts/commands.ts';
import { rateLimits } from './accounts/tables.ts';
import { setOperators } from './audiences/commands.ts';
import { leastOf } from './audiences/policy.ts';
import { authenticate, checkAudiences, staysOf, viewersOf } from './audiences/queries.ts';
import { streamGrace, streamWatch } from './broadcast-streams/commands.ts';
import { broadcastLimit, broadcastReminder } from './broadcasts/commands.ts';
import { ConferenceRooms } from './callbacks/conference-rooms.ts';
import { Streams } from './callbacks/streams.ts';
import { callKeeper, callLimit, callRinging } from './calls/commands.ts';
import { Conferencing } from './conferencing/conferencing.ts';
import type { Config } from './config.ts';
import { type Connection, connect, type Database } from './database/connect.ts';
import { isMigrated, migrate } from './database/migrate.ts';
import { Shares } from './database/shares.ts';
import { together } from './database/together.ts';
import { codeDelivery, type DeliverCode } from './delivery/codes.ts';
import { fillDemo } from './demo/commands.ts';
import { makeDueMovements } from './due-movements/commands.ts';
import { sweepFiles } from './files/commands.ts';
import { Pages } from './graphql/asking.ts';
import type { Services } from './graphql/context.ts';
import { Drain } from './graphql/drain.ts';
import { EventStreams } from './graphql/event-stream.ts';
import { createHttpServer } from './graphql/http.ts';
import { Operations } from './graphql/operations.ts';
import { flush } from './graphql/outbox.ts';
import { createPipeline } from './graphql/pipeline.ts';
import { limiter, limitInMemory } from './graphql/rates.ts';
import { serveSockets } from './graphql/websocket.ts';
import { startInspector } from './inspection/inspector.ts';
import { demandSameSecret } from './installation/commands.ts';
import { type Jobs, prepareTasks, type RecurringJob, startJobs } from './jobs/queue.ts';
import type { TaskKind } from './jobs/tasks.ts';
import { expireJoinRequests } from './join-requests/commands.ts';
import { Hub, type Witness } from './log/hub.ts';
import { trimming } from './log/retention.ts';
import { watchSessions } from './log/session-watch.ts';
import { Tail } from './log/tail.ts';
import { lineThroughPostgres, throughPostgres } from './log/wake-up.ts';
import { lineThroughNats, throughNats } from './log/wake-up-nats.ts';
import { createLogger } from './logging.ts';
import { meetingLimit, meetingReminder, meetingRooms } from './meetings/commands.ts';
import { pollDeadline } from './polls/commands.ts';
import { changesWhoIsMet } from './presence/policy.ts';
import { rosters } from './presence/queries.ts';
import { scheduledPublication } from './publications/commands.ts';
import { scheduledMessage } from './scheduled-messages/commands.ts';
import { schema } from './schema.ts';
import { openSecret } from './secrets.ts';
import { forgetSpent } from './sign-in/commands.ts';
import { Attendance } from './signals/attendance.ts';
import { Board } from './signals/board.ts';
import { Rooms } from './signals/rooms.ts';
import { Signals } from './signals/signals.ts';
import { raise } from './sms/commands.ts';
import { openStorage } from './storage/storage.ts';
import { Streaming } from './streaming/streaming.ts';
import { Downloads } from './transfers/downloads.ts';
import { FileLinks } from './transfers/links.ts';
import { Uploads } from './transfers/uploads.ts';

export interface App extends AsyncDisposable {
  /** Where the API answers: `http://127.0.0.1:4000/graphql`. */
  readonly url: string;
  readonly logger: Logger;
  readonly jobs: Jobs;
}

/** What tests put in the place of the world outside. */
export interface Outside {
  readonly deliverCode?: DeliverCode;
  readonly logger?: Logger;
  /** Writes what the person at the terminal reads, beside the log: the demo's people, and codes that no gateway takes. */
  readonly print?: (text: string) => void;
}

/** A tail that has not read for so long is not ready to serve subscriptions. */
const maxTailLagMs = 10_000;

/** Sockets that come within so many milliseconds are let in together. */
const admissionGapMs = 50;
/** How long what is being answered at the end may take. */
const answerMs = 5_000;
/** How often a minute one person may tell that they write in one chat, or no longer. */
const typingPerMinute = 60;

/** The whole server: database, log, API. Disposing stops it without losing what it has accepted. */
export async function startApp(config: Config, outside: Outside = {}): Promise<App> {
  const logger = outside.logger ?? createLogger(config.logLevel);
  const print = outside.print ?? ((text: string) => void process.stdout.write(text));
  await using stack = new AsyncDisposableStack();
  const connection = stack.use(
    await connect({
      databaseUrl: config.databaseUrl,
      dataDirectory: config.dataDirectory,
      poolSize: config.databasePool,
      makeTables: async (made) => {
        await migrate(made);
        await prepareTasks(made, ownTasks, logger);
      },
      onTrouble: (lastWords) => logger.error({ lastWords }, 'the embedded database has ended, and is begun again'),
    }),
  );
  await migrate(connection, () => logger.warn('a migration waits for who holds a table that it is to change'));
  const { db } = connection;
  const secret = await openSecret(config.secret, config.dataDirectory);
  await demandSameSecret(db, secret);
  const demo = config.demo ? await fillDemo(db, secret, () => prepareTasks(connection, ownTasks, logger)) : null;
  await setOperators(db, [...new Set([...config.operatorPhones, ...(demo?.operatorPhones ?? [])])]);

  const storage = stack.use(openStorage(config.storage));
  await storage.check();
  const links = await FileLinks.with(secret.keyFor('links to files'));

  const signals = stack.use(await startSignals(connection, config, logger));
  const board = stack.use(new Board());
  signals.listen(board);
  const attendance = stack.use(new Attendance(signals, board));
  const rooms = new Rooms({
    board,
    attendance,
    slices: () => hub.slices,
    rosterOf: rosters({ db, viewerOfSession: (id) => services.viewerOfSession(id) }),
    momentary: 'ChatPresence',
    onFailure: (error) => logger.debug({ err: error }, 'presence cannot be told now'),
  });
  const conferencing = config.conferencing && new Conferencing(config.conferencing);
  const keepers = { MEETING: meetingRooms, CALL: callKeeper };
  const conferenceRooms = stack.use(new ConferenceRooms({ db, conferencing, keepers, logger }));
  const { tail, hub } = await startLog(connection, config, logger, {
    came: (userId) => attendance.came(userId),
    left: (userId) => attendance.left(userId),
    happened: ({ kind, audienceId }) => {
      if (kind === 'ACCESS_ENDED' || kind === 'SESSION_ENDED') conferenceRooms.accessEnded();
      if (kind === 'ACCESS_BEGAN' || kind === 'ACCESS_ENDED') rooms.accessChanged(audienceId);
      else if (changesWhoIsMet(kind)) rooms.personChanged(audienceId);
    },
  });
  stack.use(tail);
  const streaming = config.streaming && (await Streaming.with(config.streaming));
  const recurring: readonly RecurringJob[] = [
    trimming(config.logRetentionDays),
    // The day begins at another hour in each time zone.
    { name: 'due-movements', cron: '*/5 * * * *', run: makeDueMovements },
    { name: 'join-request-expiry', cron: '7 * * * *', run: expireJoinRequests },
    { name: 'audience-check', cron: '53 2 * * *', run: demandAudiencesRight },
    { name: 'file-sweep', cron: '23 * * * *', run: (_db, stop) => sweepFiles(db, storage, stop) },
    ...conferenceRooms.recurring,
    { name: 'spent-codes', cron: '37 3 * * *', run: forgetSpent },
    ...(streaming ? [streamWatch(streaming.graceMs)] : []),
  ];
  const tasks = [...ownTasks, ...conferenceRooms.tasks];
  const jobs = stack.use(await startJobs(connection, { recurring, tasks }, logger));
  const authenticateAll = (tokens: readonly string[]) => authenticate(db, tokens, config.sessionIdleDays);
  const services: Services = {
    db,
    hub,
    secret,
    deliverCode: outside.deliverCode ?? codeDelivery(config, print),
    sms: { budgets: config.smsBudgets, raise: (alarms) => raise(logger, alarms) },
    limitAddress: limiter(
      new RateLimiterDrizzle({
        storeClient: db,
        schema: rateLimits,
        points: config.signInRatePerHour,
        duration: 60 * 60,
        // A job of ours does: its own timer nobody could stop, and it would keep the database after the end.
        clearExpiredByTimeout: false,
      }),
    ),
    limitCalls: limitInMemory(config.callsPerMinute, 60),
    limitQuestions: limitInMemory(config.questionsPerMinute, 60),
    sessionDays: { idle: config.sessionIdleDays, max: config.sessionMaxDays },
    authenticate: together(authenticateAll),
    viewerOfSession: together((ids) => viewersOf(db, ids, config.sessionIdleDays)),
    linkTo: (link) => links.pathOf(link),
    presence: { signals, board, attendance, rooms, limit: limitInMemory(typingPerMinute, 60) },
    streaming,
    conferencing,
    maxUploadBytes: config.maxUploadBytes,
    quotas: config.quotas,
    leastOf,
  };
  const rate = limitInMemory(config.ratePerMinute, 60);
  const operations = new Operations({
    schema,
    services,
    rate,
    shares: new Shares({
      percent: config.sharePercent,
      poolSize: config.databasePool,
    }),
    introspection: config.introspection,
    logger,
  });
  const eventStreams = new EventStreams(hub);
  const { allowedOrigins } = config;
  const pages = new Pages(config.publicUrl, allowedOrigins);
  const way = { trustedProxies: config.trustedProxies, secure: config.production };
  const inspector = startInspector();
  const uploads = stack.use(await Uploads.open({ db, operations, storage, inspector, logger }));
  // Ends first: uploads wait for it.
  stack.use(inspector);
  const crossOrigin = allowedOrigins.length > 0;
  const downloads = new Downloads({ services, operations, links, storage, rate, crossOrigin, logger });
  const streams = streaming && stack.use(new Streams({ services, streaming, logger }));
  const server = createHttpServer({
    pipeline: createPipeline(operations, eventStreams, logger),
    hub,
    graphiql: config.graphiql,
    pages,
    way,
    cookie: { secure: config.production, days: config.sessionMaxDays },
    logger,
    doors: [uploads, downloads, ...(streams ? [streams] : []), ...conferenceRooms.doors],
    ready: () => demandReady(connection, tail),
  });
  const drain = new Drain(server);
  const sockets = serveSockets({
    server,
    operations,
    hub,
    pages,
    way,
    authenticate: together(authenticateAll, admissionGapMs),
  });

  stack.use(watchSessions(hub, (ids) => keepSessions(db, ids, config.sessionIdleDays)));

  server.listen(config.port, config.host);
  await once(server, 'listening');
  // What is being answered is finished, and only then what it needs is closed.
  stack.defer(() =>
    drain.end(answerMs, async () => {
      eventStreams[Symbol.dispose]();
      await sockets[Symbol.asyncDispose]();
    }),
  );
  const { port } = server.address() as AddressInfo; // listening on TCP, so never a pipe's name
  const url = `http://${config.host === '0.0.0.0' ? '127.0.0.1' : config.host}:${port}/graphql`;
  if (demo) print(demo.guide(url));
  if (config.production && !config.publicUrl)
    logger.warn('HOMEROOM_PUBLIC_URL is not set: no page under a host name is served');
  const running = stack.move();
  return {
    url,
    logger,
    jobs,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What is done at its moment, and needs nothing but the database. */
const ownTasks: readonly TaskKind[] = [
  scheduledPublication,
  scheduledMessage,
  pollDeadline,
  broadcastReminder,
  broadcastLimit,
  callRinging,
  callLimit,
  streamGrace,
  meetingReminder,
  meetingLimit,
];

async function startSignals(connection: Connection, { nats }: Config, logger: Logger): Promise<Signals> {
  const lost = 'NATS is lost: nobody hears who is online at other processes';
  const line = nats
    ? await lineThroughNats(connection, nats, logger, { name: 'signals', lost })
    : lineThroughPostgres(connection, 'signals');
  return Signals.open(line, (error) => logger.debug({ err: error }, 'signals are lost'));
}

async function startLog(connection: Connection, config: Config, logger: Logger, witness: Witness) {
  let hub: Hub | null = null;
  const { nats } = config;
  const wakeUp = nats ? await throughNats(connection, nats, logger) : throughPostgres(connection);
  const tail = await Tail.start(connection, wakeUp, {
    onEvents: (events) => hub?.dispatch(events),
    onRestart: (head) => hub?.restart(head),
    onFailure: (error) => logger.warn({ err: error }, 'the log cannot be read now'),
  });
  hub = new Hub({
    db: connection.db,
    head: { epoch: tail.epoch, position: tail.position },
    trimmedThrough: () => tail.trimmedThrough,
    settled: () => tail.settled(),
    flush,
    witness,
    staysOf: together((userIds) => staysOf(connection.db, userIds)),
  });
  return { tail, hub };
}

/** A difference is a fault of ours: it fails as a job, and so into the log, night after night until it is mended. */
async function demandAudiencesRight(db: Database): Promise<void> {
  const wrong = await checkAudiences(db);
  if (wrong.length > 0) throw new Error(`${wrong.length} members of audiences are not as derived`);
}

async function demandReady(connection: Connection, tail: Tail): Promise<void> {
  await connection.ping();
  if (!(await isMigrated(connection))) throw new Error('migrations are missing');
  if (Date.now() - tail.caughtUpAt > maxTailLagMs) throw new Error('the log’s tail lags');
}
