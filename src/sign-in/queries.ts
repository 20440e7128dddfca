import { sql } from 'drizzle-orm';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { prepareRaw } from '../database/statements.ts';
import type { PhoneSpent, Spent } from './policy.ts';

const phonesOfDevice = prepareRaw<{ phone: string }, { device: string }>(sql`
  select distinct u.phone from sessions s join users u on u.id = s.user_id
  where s.device_hash = decode(${sql.placeholder('device')}, 'hex') and s.ended_at is null
    and s.used_at > now() - interval '1 year'`);

/**
 * Whether somebody has signed in by this phone on this device, and has not signed out there. Asked by the device, so that the answer
 * takes as long for a phone without an account.
 */
export async function knowsDevice(db: Database, phone: string, deviceHash: Buffer | null): Promise<boolean> {
  if (!deviceHash) return false;
  const found = await phonesOfDevice(db, { device: deviceHash.toString('hex') });
  return found.some((one) => one.phone === phone);
}

interface SpentRow {
  readonly whose: keyof PhoneSpent;
  readonly codes: number;
  readonly codeAt: string | null;
  readonly codesEaseAt: string | null;
  readonly guesses: number;
  readonly guessAt: string | null;
  readonly guessesEaseAt: string | null;
}

/** What a phone has been asked for and guessed at in the last day; `now` is the database's. */
export interface PhoneDay {
  readonly codes: PhoneSpent;
  readonly guesses: PhoneSpent;
  /** Codes in all, also those that signed in. */
  readonly sent: number;
  readonly sentEasesAt: Date;
  readonly now: Date;
}

const wrong = sql`(attempt_count - (state = 'USED')::int)`;

/** @param networkHash from where it is asked now */
export async function dayOf(tx: Transaction, phone: string, networkHash: Buffer): Promise<PhoneDay> {
  // A code takes guesses for some minutes: to its end, so that none leaves the day too early.
  const found = await rows<SpentRow & { sent: number; sentEasesAt: string | null; now: string }>(
    tx,
    sql`
    with day as (select * from sign_in_challenges where phone = ${phone} and expires_at > now() - interval '1 day'),
    party (whose, has) as (
      select 'here', (select coalesce(array_agg(id), '{}') from day where not is_known and network_hash = ${networkHash})
      union all select 'strangers', (select coalesce(array_agg(id), '{}') from day where not is_known)
      union all select 'known', (select coalesce(array_agg(id), '{}') from day where is_known))
    select whose,
      (count(d.id) filter (where state <> 'USED'))::int as codes,
      max(created_at) filter (where state in ('ISSUED', 'LOCKED')) as "codeAt",
      min(expires_at) filter (where state <> 'USED') + interval '1 day' as "codesEaseAt",
      coalesce(sum(${wrong}), 0)::int as guesses,
      max(attempted_at) filter (where ${wrong} > 0) as "guessAt",
      min(expires_at) filter (where ${wrong} > 0) + interval '1 day' as "guessesEaseAt",
      (select count(*) from day)::int as sent,
      (select min(expires_at) from day) + interval '1 day' as "sentEasesAt", now() as now
    from party left join day d on d.id = any(has) group by whose`,
  );
  const of = (whose: keyof PhoneSpent) => {
    const row = found.find((one) => one.whose === whose);
    if (!row) throw new Error('a part of the day is missing');
    return row;
  };
  const codesOf = (row: SpentRow) => spent(row.codes, row.codeAt, row.codesEaseAt);
  const guessesOf = (row: SpentRow) => spent(row.guesses, row.guessAt, row.guessesEaseAt);
  const [here, strangers, known] = [of('here'), of('strangers'), of('known')];
  return {
    codes: { here: codesOf(here), strangers: codesOf(strangers), known: codesOf(known) },
    guesses: { here: guessesOf(here), strangers: guessesOf(strangers), known: guessesOf(known) },
    sent: here.sent,
    sentEasesAt: new Date(here.sentEasesAt ?? here.now),
    now: new Date(here.now),
  };
}

const spent = (count: number, lastAt: string | null, easesAt: string | null): Spent => ({
  count,
  lastAt: lastAt === null ? null : new Date(lastAt),
  easesAt: easesAt === null ? null : new Date(easesAt),
});
