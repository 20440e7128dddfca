import { and, desc, eq, gt, isNull, lt, ne, sql } from 'drizzle-orm';
import { z } from 'zod';
import { audit } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import type { DeliverCode } from '../delivery/codes.ts';
import { DomainError, NotFound, RateLimited } from '../errors.ts';
import { anyOf } from '../graphql/batches.ts';
import { email, personName, phoneNumber, valid } from '../input.ts';
import { append, transact } from '../log/append.ts';
import { codeMatches, hashCode, hashSecret, newCode, newSecret } from '../secrets.ts';
import { type Locale, locales, text } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import { sessionIsGood } from './queries.ts';
import { rateLimits, type Session, sessions, signInChallenges, type User, users } from './tables.ts';

const codeMinutes = 5;
const resendSeconds = 60;
const maxAttempts = 5;
const codesPerHour = 5;

/** The code does not sign in: wrong, too old, used, or never asked for. */
export class InvalidCode extends DomainError {
  readonly code = 'INVALID_CODE';
  /** How often the newest code may still be tried; 0: a new one is needed. */
  readonly attemptsLeft: number;
  constructor(attemptsLeft: number) {
    super('INVALID_CODE');
    this.attemptsLeft = attemptsLeft;
  }
}

/** The gateway did not take the message. */
export class DeliveryFailed extends DomainError {
  readonly code = 'DELIVERY_FAILED';
  constructor() {
    super('DELIVERY_FAILED');
  }
}

export interface CodeRequest {
  readonly phone: string;
  readonly expiresAt: Date;
  readonly resendAt: Date;
}

/**
 * Sends a one-time code of 6 digits to a phone (§2.1.3), good for 5 minutes and 5 attempts. Known and unknown phones take
 * the same path; within 60 seconds a repeat returns the first request and sends nothing.
 * @throws InvalidInput, RateLimited after 5 codes in an hour, DeliveryFailed
 */
export async function requestSignInCode(
  db: Database,
  input: { phone: string; locale: Locale },
  deliver: DeliverCode,
): Promise<CodeRequest> {
  const phone = phoneNumber(input.phone);
  const code = newCode();
  const { challenge, isNew } = await db.transaction(async (tx) => {
    await lockPhone(tx, phone);
    const newest = await newestChallenge(tx, phone);
    if (newest?.state === 'ISSUED' && resendAt(newest.createdAt) > new Date())
      return { challenge: newest, isNew: false };
    await demandFewCodes(tx, phone);
    const [challenge] = await tx
      .insert(signInChallenges)
      .values({ phone, codeHash: hashCode(phone, code), expiresAt: minutesFromNow(codeMinutes) })
      .returning();
    if (!challenge) throw new Error('insert returned no row');
    return { challenge, isNew: true };
  });
  if (isNew) {
    await deliver(phone, text(input.locale, 'SIGN_IN_CODE', { code }), code).catch(async () => {
      await db.update(signInChallenges).set({ state: 'FAILED' }).where(eq(signInChallenges.id, challenge.id));
      throw new DeliveryFailed();
    });
  }
  return codeRequest(challenge);
}

/** One phone's requests and attempts happen one after the other. */
const lockPhone = (tx: Transaction, phone: string) =>
  tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${phone}, 1))`);

async function demandFewCodes(tx: Transaction, phone: string): Promise<void> {
  const lately = await tx
    .select({ createdAt: signInChallenges.createdAt })
    .from(signInChallenges)
    .where(and(eq(signInChallenges.phone, phone), gt(signInChallenges.createdAt, sql`now() - interval '1 hour'`)))
    .orderBy(desc(signInChallenges.id))
    .limit(codesPerHour);
  const earliest = lately[codesPerHour - 1];
  if (earliest) throw new RateLimited(new Date(earliest.createdAt.getTime() + 60 * 60 * 1000));
}

const minutesFromNow = (minutes: number) => sql`now() + make_interval(mins => ${minutes})`;
const resendAt = (createdAt: Date) => new Date(createdAt.getTime() + resendSeconds * 1000);
const codeRequest = (challenge: typeof signInChallenges.$inferSelect): CodeRequest => ({
  phone: challenge.phone,
  expiresAt: challenge.expiresAt,
  resendAt: resendAt(challenge.createdAt),
});

async function newestChallenge(tx: Transaction, phone: string) {
  const [newest] = await tx
    .select()
    .from(signInChallenges)
    .where(eq(signInChallenges.phone, phone))
    .orderBy(desc(signInChallenges.id))
    .limit(1);
  return newest;
}

/**
 * Signs in with a phone and the newest code sent to it; the first sign-in makes an ordinary account without rights.
 * The session's token is returned once and stored hashed.
 * @throws InvalidCode, InvalidInput
 */
export async function signIn(
  db: Database,
  input: { phone: string; code: string; client: string | null; locale: Locale; maxDays: number },
): Promise<{ token: string; user: User; session: Session }> {
  const phone = phoneNumber(input.phone);
  const outcome = await transact(db, async (tx) => {
    const attempt = await tryCode(tx, phone, input.code);
    if (attempt instanceof InvalidCode) return attempt;
    const user = await userByPhone(tx, { phone, locale: input.locale });
    await tx
      .update(users)
      .set({ signedInAt: sql`coalesce(${users.signedInAt}, now())` })
      .where(eq(users.id, user.id));
    const token = newSecret();
    const [session] = await tx
      .insert(sessions)
      .values({
        userId: user.id,
        tokenHash: hashSecret(token),
        client: input.client,
        expiresAt: sql`now() + make_interval(days => ${input.maxDays})`,
      })
      .returning();
    if (!session) throw new Error('insert returned no row');
    await append(tx, { kind: 'SESSION_STARTED', audienceId: user.id, subjectId: session.id });
    await audit(tx, user.id, { action: 'session.start', target: { type: 'Session', id: session.id } });
    return { token, user, session };
  });
  // Thrown only now, so that the counted attempt is committed.
  if (outcome instanceof InvalidCode) throw outcome;
  return outcome;
}

async function tryCode(tx: Transaction, phone: string, code: string): Promise<true | InvalidCode> {
  await lockPhone(tx, phone);
  const challenge = await newestChallenge(tx, phone);
  const open = challenge?.state === 'ISSUED' && challenge.expiresAt > new Date();
  const matches = codeMatches(phone, code, challenge?.codeHash);
  if (!open) return new InvalidCode(0);
  const attemptCount = challenge.attemptCount + 1;
  const state = matches ? 'USED' : attemptCount === maxAttempts ? 'LOCKED' : 'ISSUED';
  await tx.update(signInChallenges).set({ attemptCount, state }).where(eq(signInChallenges.id, challenge.id));
  return matches || new InvalidCode(maxAttempts - attemptCount);
}

/** The account of a phone, made if there is none: it waits for its owner, who proves the phone by signing in. */
export async function userByPhone(
  tx: Transaction,
  person: { phone: string; locale: Locale } & Partial<Pick<User, 'familyName' | 'givenName' | 'patronymic' | 'email'>>,
): Promise<User> {
  await tx.insert(users).values(person).onConflictDoNothing({ target: users.phone });
  const [user] = await tx.select().from(users).where(eq(users.phone, person.phone));
  if (!user) throw new Error('a user just ensured is missing');
  return user;
}

/** Ends the viewer's own session of this request. */
export async function signOut(db: Database, viewer: Viewer): Promise<void> {
  await transact(db, (tx) => endSessions(tx, viewer, [viewer.sessionId], 'SIGNED_OUT'));
}

/** Ends one of the viewer's own sessions; one that has ended stays so. @throws NotFound */
export async function revokeSession(db: Database, viewer: Viewer, sessionId: string): Promise<Session> {
  return transact(db, async (tx) => {
    await endSessions(tx, viewer, [sessionId], 'REVOKED');
    const [session] = await tx
      .select()
      .from(sessions)
      .where(and(eq(sessions.id, sessionId), eq(sessions.userId, viewer.userId)));
    if (!session) throw new NotFound();
    return session;
  });
}

/** Ends all of the viewer's sessions but this one; returns how many ended. */
export async function revokeOtherSessions(db: Database, viewer: Viewer): Promise<number> {
  return transact(db, async (tx) => {
    const others = await tx
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(eq(sessions.userId, viewer.userId), ne(sessions.id, viewer.sessionId), isNull(sessions.endedAt)));
    return endSessions(
      tx,
      viewer,
      others.map(({ id }) => id),
      'REVOKED',
    );
  });
}

async function endSessions(tx: Transaction, viewer: Viewer, ids: string[], endedBy: 'SIGNED_OUT' | 'REVOKED') {
  const ended = await tx
    .update(sessions)
    .set({ endedAt: sql`now()`, endedBy })
    .where(and(anyOf(sessions.id, ids), eq(sessions.userId, viewer.userId), isNull(sessions.endedAt)))
    .returning({ id: sessions.id });
  for (const { id } of ended) {
    // First the session's own streams end, then the others hear of it.
    await append(
      tx,
      { kind: 'SESSION_ENDED', audienceId: viewer.userId, subjectId: id },
      { kind: 'SESSION_CLOSED', audienceId: viewer.userId, subjectId: id },
    );
    await audit(tx, viewer.userId, { action: 'session.end', target: { type: 'Session', id }, after: { endedBy } });
  }
  return ended.length;
}

/** Returns those of some sessions that are still good, and marks them as used now (to the hour). */
export async function keepSessions(db: Database, ids: readonly string[], idleDays: number): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const found = await db
    .select({ id: sessions.id, stale: sql<boolean>`${sessions.usedAt} < now() - interval '1 hour'` })
    .from(sessions)
    .where(and(anyOf(sessions.id, ids), sessionIsGood(idleDays)));
  const stale = found.filter((session) => session.stale).map(({ id }) => id);
  if (stale.length > 0) await db.update(sessions).set({ usedAt: sql`now()` }).where(anyOf(sessions.id, stale));
  return new Set(found.map(({ id }) => id));
}

/** Forgets codes and counters that can matter to nobody any more. */
export async function forgetSpent(db: Database): Promise<void> {
  await db.delete(signInChallenges).where(lt(signInChallenges.createdAt, sql`now() - interval '1 day'`));
  await db.delete(rateLimits).where(lt(rateLimits.expire, sql`now()`));
}

const UpdateProfile = z.object({ ...personName, email, locale: z.enum(locales) }).partial();

/** Changes what is given of the viewer's own profile; null clears what may be empty. @throws InvalidInput */
export async function updateProfile(db: Database, viewer: Viewer, input: unknown): Promise<User> {
  const changes = valid(UpdateProfile, input);
  return transact(db, async (tx) => {
    const [before] = await tx.select().from(users).where(eq(users.id, viewer.userId)).for('update');
    const [user] = await tx
      .update(users)
      .set({ ...changes, id: viewer.userId })
      .where(eq(users.id, viewer.userId))
      .returning();
    if (!before || !user) throw new NotFound();
    const fields = Object.keys(changes);
    await append(tx, { kind: 'PROFILE_UPDATED', audienceId: user.id, subjectId: user.id });
    await audit(tx, user.id, { action: 'profile.update', target: { type: 'User', id: user.id }, after: { fields } });
    return user;
  });
}
