import { and, eq, inArray, isNull, ne, sql } from 'drizzle-orm';
import { z } from 'zod';
import { audit } from '../audit/commands.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { DomainError, NotFound } from '../errors.ts';
import { anyOf } from '../graphql/batches.ts';
import { email, optionalLine, personName, valid } from '../input.ts';
import { append, transact } from '../log/append.ts';
import { hashSecret, newSecret } from '../secrets.ts';
import { type Locale, locales } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import { sessionIsGood } from './queries.ts';
import { type Session, sessions, type User, users } from './tables.ts';

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

/** Begins a session of somebody who has proved who they are. Its token is returned once and stored hashed. */
export async function startSession(
  tx: Transaction,
  user: User,
  given: { client: string | null; maxDays: number; deviceHash: Buffer | null },
): Promise<{ token: string; session: Session }> {
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
      client: given.client,
      deviceHash: given.deviceHash,
      expiresAt: sql`now() + make_interval(days => ${given.maxDays})`,
    })
    .returning();
  if (!session) throw new Error('insert returned no row');
  await append(tx, { kind: 'SESSION_STARTED', audienceId: user.id, subjectId: session.id });
  await audit(tx, user.id, { action: 'session.start', target: { type: 'Session', id: session.id } });
  return { token, session };
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
    .returning({ id: sessions.id, deviceHash: sessions.deviceHash });
  await forgetDevices(
    tx,
    viewer,
    ended.flatMap(({ deviceHash }) => deviceHash ?? []),
  );
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

/** Where somebody was signed out, their phone knows the device no longer, whichever of its sessions it was. */
async function forgetDevices(tx: Transaction, viewer: Viewer, hashes: readonly Buffer[]): Promise<void> {
  if (hashes.length === 0) return;
  await tx
    .update(sessions)
    .set({ deviceHash: null })
    .where(and(eq(sessions.userId, viewer.userId), inArray(sessions.deviceHash, [...hashes])));
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

/** Nobody comes without a name. */
export class NameRequired extends DomainError {
  readonly code = 'NAME_REQUIRED';
  constructor() {
    super('NAME_REQUIRED');
  }
}

/** A member's name is the institution's word: its administrators change it. */
export class NameFixed extends DomainError {
  readonly code = 'NAME_FIXED';
  constructor() {
    super('NAME_FIXED');
  }
}

/** A name that may be told with something else, by who has none. */
export const givenName = {
  familyName: optionalLine(100),
  givenName: optionalLine(100),
  patronymic: optionalLine(100),
};

/** Makes sure that the viewer has a name: their own, or this one from now on. @throws NameRequired */
export async function demandName(
  tx: Transaction,
  { userId }: Viewer,
  {
    familyName = null,
    givenName = null,
    patronymic = null,
  }: Partial<Pick<User, 'familyName' | 'givenName' | 'patronymic'>> = {},
): Promise<void> {
  const [own] = await tx.select().from(users).where(eq(users.id, userId)).for('update');
  if (own?.familyName && own.givenName) return;
  if (!familyName || !givenName) throw new NameRequired();
  await setProfile(tx, userId, { familyName, givenName, patronymic });
}

const UpdateProfile = z.object({ ...personName, email, locale: z.enum(locales) }).partial();

/**
 * Changes what is given of the viewer's own profile; null clears what may be empty. The name is theirs to change until their first
 * membership. @throws InvalidInput, NameFixed
 */
export async function updateProfile(db: Database, viewer: Viewer, input: unknown): Promise<User> {
  const changes = valid(UpdateProfile, input);
  return transact(db, async (tx) => {
    const [own] = await tx.select().from(users).where(eq(users.id, viewer.userId)).for('update');
    if (own && isRenamed(own, changes) && (await hasBeenMember(tx, own.id))) throw new NameFixed();
    return setProfile(tx, viewer.userId, changes);
  });
}

/** Whether somebody who has a name is to have another. */
const isRenamed = (own: User, changes: Partial<Pick<User, 'familyName' | 'givenName' | 'patronymic'>>): boolean =>
  own.familyName !== null &&
  own.givenName !== null &&
  (['familyName', 'givenName', 'patronymic'] as const).some(
    (part) => changes[part] !== undefined && changes[part] !== own[part],
  );

async function hasBeenMember(tx: Transaction, userId: string): Promise<boolean> {
  // Of a higher floor, and so as text.
  return (await rows(tx, sql`select from memberships where user_id = ${userId} limit 1`)).length > 0;
}

async function setProfile(tx: Transaction, id: string, changes: z.output<typeof UpdateProfile>): Promise<User> {
  const [user] = await tx
    .update(users)
    .set({ ...changes, id })
    .where(eq(users.id, id))
    .returning();
  if (!user) throw new NotFound();
  const fields = Object.keys(changes);
  await append(tx, { kind: 'PROFILE_UPDATED', audienceId: id, subjectId: id });
  await audit(tx, id, { action: 'profile.update', target: { type: 'User', id }, after: { fields } });
  return user;
}
