import { lt, sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import type { SmsBudgets } from '../config.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { RateLimited } from '../errors.ts';
import { accountsOf, countryBudget, type Message, placesOf, reachedShare } from './policy.ts';
import { smsCounts } from './tables.ts';

/** A budget of which much is spent. No phone, no address: who reads the log learns which wall was hit, not by whom. */
export interface Alarm {
  /** `installation`, or a country by its calling code. */
  readonly budget: string;
  readonly percent: number;
  readonly sent: number;
  readonly perDay: number;
}

const today = sql`(now() at time zone 'utc')::date`;

/**
 * Counts a message for everybody whose budget it takes, as part of the transaction that decides to send it.
 * @throws RateLimited until tomorrow when one of the budgets is spent
 */
export async function spendMessage(tx: Transaction, budgets: SmsBudgets, message: Message): Promise<readonly Alarm[]> {
  const limits = new Map(accountsOf(budgets, message).map(({ key, limit }) => [key, limit]));
  // In one order for all, so that nobody waits for each other.
  const keys = [...limits.keys()].sort();
  const counted = await rows<{ key: string; sent: number; peak: number; before: number | null; tomorrow: Date }>(
    tx,
    sql`insert into sms_counts (key, day, sent, peak) select key, ${today}, 1, 1 from unnest(${sql.param(keys)}::text[]) key
    on conflict (key, day) do update
      set sent = sms_counts.sent + 1, peak = greatest(sms_counts.peak, sms_counts.sent + 1)
    returning key, new.sent, new.peak, old.peak as before, (${today} + 1)::timestamp at time zone 'utc' as tomorrow`,
  );
  const over = counted.find(({ key, sent }) => sent > (limits.get(key) ?? 0));
  if (over) throw new RateLimited(new Date(over.tomorrow));
  const budgetOf = {
    installation: budgets.perDay,
    [`country:${message.country}`]: countryBudget(budgets, message.country),
  };
  return counted.flatMap(({ key, sent, peak, before }) => {
    const perDay = budgetOf[key];
    const percent = perDay === undefined ? null : reachedShare(perDay, before ?? 0, peak);
    return perDay === undefined || percent === null ? [] : [{ budget: key, percent, sent, perDay }];
  });
}

/** Takes a message off all its accounts: the gateway did not take it, so it has cost nothing. */
export const returnMessage = (tx: Transaction, message: Message, sentAt: Date): Promise<void> =>
  takeOff(tx, ['installation', `country:${message.country}`, ...(message.from ? placesOf(message.from) : [])], sentAt);

/** Takes a message off those of the place where it was asked for: who got it has signed in. */
export const acquitPlace = (tx: Transaction, from: NonNullable<Message['from']>, sentAt: Date): Promise<void> =>
  takeOff(tx, placesOf(from), sentAt);

async function takeOff(tx: Transaction, keys: readonly string[], sentAt: Date): Promise<void> {
  // Locked in the order in which they are counted.
  await tx.execute(sql`
    with held as (
      select key, day from sms_counts
      where key = any(${sql.param(keys)}::text[]) and day = (${sentAt.toISOString()}::timestamptz at time zone 'utc')::date
      order by key collate "C" for update)
    update sms_counts c set sent = greatest(c.sent - 1, 0) from held where c.key = held.key and c.day = held.day`);
}

/** Tells whoever reads the log. */
export function raise(logger: Logger, alarms: readonly Alarm[]): void {
  for (const alarm of alarms) {
    if (alarm.percent < 100)
      logger.warn(alarm, 'much of the budget of messages is spent: strangers get no more of it today');
    else logger.error(alarm, 'the budget of messages is spent: nobody gets a code by it today');
  }
}

/** Forgets the days that are over. */
export async function forgetCounts(db: Database): Promise<void> {
  await db.delete(smsCounts).where(lt(smsCounts.day, sql`${today} - 1`));
}
