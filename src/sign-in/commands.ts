import { randomUUID, timingSafeEqual } from 'node:crypto';
import { and, desc, eq, gt, lt, sql } from 'drizzle-orm';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { startSession, userByPhone } from '../accounts/commands.ts';
import { rateLimits, type Session, type User } from '../accounts/tables.ts';
import type { SmsBudgets } from '../config.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { NotTaken } from '../delivery/codes.ts';
import { DomainError, InvalidInput, RateLimited } from '../errors.ts';
import type { Services } from '../graphql/context.ts';
import { uuid } from '../graphql/ids.ts';
import { phoneNumber } from '../input.ts';
import { transact } from '../log/append.ts';
import { newCode, type Secret } from '../secrets.ts';
import { acquitPlace, forgetCounts, returnMessage, spendMessage } from '../sms/commands.ts';
import { countryBudget, type Message } from '../sms/policy.ts';
import { type Locale, text } from '../texts.ts';
import { codes, guesses, nextAt } from './policy.ts';
import { dayOf, knowsDevice } from './queries.ts';
import { type SignInChallenge, signInChallenges } from './tables.ts';

const codeMinutes = 5;
const resendSeconds = 60;
const maxAttempts = 5;

/** Why a code does not sign in. */
export const invalidCodeReasons = ['WRONG', 'USED', 'LOCKED', 'EXPIRED'] as const;
export type InvalidCodeReason = (typeof invalidCodeReasons)[number];

/** The code does not sign in: wrong, or its challenge takes no more attempts. */
export class InvalidCode extends DomainError {
  readonly code = 'INVALID_CODE';
  readonly reason: InvalidCodeReason;
  /** How often the code of this challenge may still be tried; 0: a new one is needed. */
  readonly attemptsLeft: number;
  constructor(reason: InvalidCodeReason, attemptsLeft = 0) {
    super('INVALID_CODE');
    this.reason = reason;
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

/** What the process lends to whoever signs in. */
export type SignInDesk = Pick<Services, 'secret' | 'deliverCode' | 'limitAddress' | 'sms'>;

/** From where somebody asks who is not signed in. */
export interface Origin {
  readonly address: string;
  readonly network: string;
  readonly deviceToken: string | null;
}

export interface CodeRequest {
  readonly challengeId: string;
  readonly phone: string;
  readonly expiresAt: Date;
  readonly resendAt: Date;
}

/**
 * Sends a one-time code of 6 digits to a phone (§2.1.3), good for 5 minutes and 5 attempts by whoever gets the answer's challenge.
 * Known and unknown phones take the same path; within 60 seconds a repeat of the same device returns the first request and sends
 * nothing.
 * @throws InvalidInput, RateLimited where the phone or a budget has had enough, DeliveryFailed
 */
export async function requestSignInCode(
  db: Database,
  desk: SignInDesk,
  input: { phone: string; locale: Locale },
  origin: Origin,
): Promise<CodeRequest> {
  const phone = phoneNumber(input.phone);
  const country = parsePhoneNumberFromString(phone)?.countryCallingCode ?? '';
  if (countryBudget(desk.sms.budgets, country) === 0) throw new InvalidInput('phone', 'INVALID_COUNTRY');
  const deviceHash = hashOfDevice(desk.secret, origin.deviceToken);
  const isKnown = await knowsDevice(db, phone, deviceHash);
  // Others at the same address, a school's say, may have spent what it has in an hour.
  await desk.limitAddress(isKnown && deviceHash ? `device ${deviceHash.toString('base64url')}` : origin.address);

  const place = (name: string) => desk.secret.keyed('network', name);
  const [networkHash, addressHash] = [place(origin.network), place(origin.address)];
  const asked = { phone, deviceHash, networkHash, addressHash, isKnown };
  const code = newCode();
  const made = await transact(db, async (tx) => {
    await lockPhone(tx, phone);
    const first = deviceHash && (await recentChallenge(tx, phone, deviceHash));
    if (first) return { challenge: first, alarms: null };
    await demandFewCodes(tx, desk.sms.budgets, asked);
    const id = randomUUID();
    const codeHash = hashOf(desk.secret, id, code);
    const expiresAt = sql`now() + make_interval(mins => ${codeMinutes})`;
    const [challenge] = await tx
      .insert(signInChallenges)
      .values({ id, ...asked, codeHash, expiresAt })
      .returning();
    if (!challenge) throw new Error('insert returned no row');
    return { challenge, alarms: await spendMessage(tx, desk.sms.budgets, messageOf(challenge, country)) };
  });
  if (made.alarms) {
    desk.sms.raise(made.alarms);
    await send(db, desk, { ...made, code, country, locale: input.locale });
  }
  const { challenge } = made;
  const resendAt = new Date(challenge.createdAt.getTime() + resendSeconds * 1000);
  return { challengeId: challenge.id, phone, expiresAt: challenge.expiresAt, resendAt };
}

/** @throws InvalidInput unless it is as long as 32 bytes are in base64url: whoever makes one is not to count */
function hashOfDevice(secret: Secret, token: string | null): Buffer | null {
  if (token === null) return null;
  if (!/^[\w-]{43}$/.test(token)) throw new InvalidInput('deviceToken', 'INVALID_DEVICE_TOKEN');
  return secret.keyed('device', token);
}

/** One phone's requests and attempts happen one after the other. */
const lockPhone = (tx: Transaction, phone: string) =>
  tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${phone}, 1))`);

/** The challenge's id salts it: the same code is another hash each time. */
const hashOf = (secret: Secret, challengeId: string, code: string): Buffer =>
  secret.keyed('sign-in code', `${challengeId} ${code}`);

const messageOf = (challenge: SignInChallenge, country: string): Message => ({ country, from: placeOf(challenge) });

const placeOf = ({ isKnown, networkHash, addressHash }: SignInChallenge): Message['from'] =>
  isKnown ? null : { network: networkHash.toString('base64url'), address: addressHash.toString('base64url') };

/** What the same device has asked for just now, if it can still be tried. */
async function recentChallenge(tx: Transaction, phone: string, deviceHash: Buffer) {
  const [recent] = await tx
    .select()
    .from(signInChallenges)
    .where(
      and(
        eq(signInChallenges.phone, phone),
        eq(signInChallenges.deviceHash, deviceHash),
        eq(signInChallenges.state, 'ISSUED'),
        gt(signInChallenges.createdAt, sql`now() - make_interval(secs => ${resendSeconds})`),
      ),
    )
    .orderBy(desc(signInChallenges.createdAt))
    .limit(1);
  return recent ?? null;
}

async function demandFewCodes(
  tx: Transaction,
  { perPhone }: SmsBudgets,
  { phone, networkHash, isKnown }: Pick<SignInChallenge, 'phone' | 'networkHash' | 'isKnown'>,
): Promise<void> {
  const day = await dayOf(tx, phone, networkHash);
  const free = nextAt(codes(perPhone), day.codes, isKnown);
  if (free && free > day.now) throw new RateLimited(free);
  // Who signs in again and again is no stranger, and costs as much.
  if (day.sent >= 2 * perPhone) throw new RateLimited(day.sentEasesAt);
}

async function send(
  db: Database,
  { deliverCode }: SignInDesk,
  sent: { challenge: SignInChallenge; code: string; country: string; locale: Locale },
): Promise<void> {
  const { challenge, code, country, locale } = sent;
  try {
    await deliverCode(challenge.phone, text(locale, 'SIGN_IN_CODE', { code }), code);
  } catch (error) {
    const isMine = eq(signInChallenges.id, challenge.id);
    await transact(db, async (tx) => {
      // What the gateway refused has cost nothing. What it did not answer to may have reached the phone, and counts.
      if (!(error instanceof NotTaken)) return tx.update(signInChallenges).set({ state: 'FAILED' }).where(isMine);
      await tx.delete(signInChallenges).where(isMine);
      return returnMessage(tx, messageOf(challenge, country), challenge.createdAt);
    });
    throw new DeliveryFailed();
  }
}

/**
 * Signs in with the code of a challenge; the first sign-in makes an ordinary account without rights. From now on the phone knows the
 * device that had asked, until it is signed out there.
 * @throws InvalidCode, RateLimited
 */
export async function signIn(
  db: Database,
  desk: Pick<SignInDesk, 'secret' | 'limitAddress'>,
  input: { challengeId: string; code: string; client: string | null; locale: Locale; maxDays: number },
  { address }: Pick<Origin, 'address'>,
): Promise<{ token: string; user: User; session: Session }> {
  const asked = uuid.test(input.challengeId) ? await challengeById(db, input.challengeId) : null;
  if (!asked?.isKnown) await desk.limitAddress(address);
  if (!asked) throw new InvalidCode('EXPIRED');
  const outcome = await transact(db, async (tx) => {
    await lockPhone(tx, asked.phone);
    const challenge = await challengeById(tx, asked.id);
    const refusal = challenge ? await tryCode(tx, desk.secret, challenge, input.code) : new InvalidCode('EXPIRED');
    if (!challenge || refusal) return refusal ?? new InvalidCode('EXPIRED');
    const user = await userByPhone(tx, { phone: challenge.phone, locale: input.locale });
    const started = await startSession(tx, user, { ...input, deviceHash: challenge.deviceHash });
    const place = placeOf(challenge);
    if (place) await acquitPlace(tx, place, challenge.createdAt);
    return { ...started, user };
  });
  // Thrown only now, so that the counted attempt is committed.
  if (outcome instanceof InvalidCode) throw outcome;
  return outcome;
}

type OpenOrNot = SignInChallenge & { readonly isOver: boolean };

async function challengeById(db: Database, id: string): Promise<OpenOrNot | null> {
  const [found] = await db
    .select({ challenge: signInChallenges, isOver: sql<boolean>`${signInChallenges.expiresAt} <= now()` })
    .from(signInChallenges)
    .where(eq(signInChallenges.id, id));
  return found ? { ...found.challenge, isOver: found.isOver } : null;
}

/** Counts an attempt; null: it is the code. @throws RateLimited */
async function tryCode(
  tx: Transaction,
  secret: Secret,
  challenge: OpenOrNot,
  code: string,
): Promise<InvalidCode | null> {
  if (challenge.isOver || challenge.state === 'FAILED') return new InvalidCode('EXPIRED');
  if (challenge.state !== 'ISSUED') return new InvalidCode(challenge.state);
  const day = await dayOf(tx, challenge.phone, challenge.networkHash);
  const free = nextAt(guesses, day.guesses, challenge.isKnown);
  if (free && free > day.now) throw new RateLimited(free);
  const matches = timingSafeEqual(hashOf(secret, challenge.id, code.replace(/\D/g, '')), challenge.codeHash);
  const attemptCount = challenge.attemptCount + 1;
  const state = matches ? 'USED' : attemptCount === maxAttempts ? 'LOCKED' : 'ISSUED';
  await tx
    .update(signInChallenges)
    .set({ attemptCount, state, attemptedAt: sql`now()` })
    .where(eq(signInChallenges.id, challenge.id));
  return matches ? null : new InvalidCode('WRONG', maxAttempts - attemptCount);
}

/** Forgets codes and counters that can matter to nobody any more. */
export async function forgetSpent(db: Database): Promise<void> {
  await db.delete(signInChallenges).where(lt(signInChallenges.expiresAt, sql`now() - interval '1 day'`));
  await db.delete(rateLimits).where(lt(rateLimits.expire, sql`now()`));
  await forgetCounts(db);
}
