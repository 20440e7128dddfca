import type { SmsBudgets } from '../config.ts';

/** What a message is for. Networks and addresses come by their keyed hashes; null: a device that the phone knows. */
export interface Message {
  readonly country: string;
  readonly from: { readonly network: string; readonly address: string } | null;
}

/** What a message is counted for, and how many may be counted there. */
export interface Account {
  readonly key: string;
  readonly limit: number;
}

export const countryBudget = ({ countries, perDay, abroadPerDay }: SmsBudgets, country: string): number =>
  countries.includes(country) ? perDay : Math.min(abroadPerDay, perDay);

/** A fifth of every budget is kept for devices that their phones know, so strangers who spend the rest shut nobody out. */
export const forStrangers = (budget: number): number => budget - Math.floor(budget / 5);

/** The accounts of a message. */
export function accountsOf(budgets: SmsBudgets, { country, from }: Message): readonly Account[] {
  const ofAll = [
    { key: 'installation', limit: budgets.perDay },
    { key: `country:${country}`, limit: countryBudget(budgets, country) },
  ];
  if (!from) return ofAll;
  return [
    ...ofAll.map(({ key, limit }) => ({ key, limit: forStrangers(limit) })),
    ...placesOf(from).map((key) => ({
      key,
      limit: key === networkKey(from) ? budgets.perNetwork : budgets.perAddress,
    })),
  ];
}

type Origin = NonNullable<Message['from']>;
const networkKey = ({ network }: Origin) => `network:${network}`;

/** The accounts of where a message was asked for: what has signed in is taken off them, for it was no stranger's. */
export const placesOf = (from: Origin): readonly string[] => [`address:${from.address}`, networkKey(from)];

/** Shares of a budget at which somebody should look, in percent. */
const alarming = [80, 100] as const;

/** Which share a budget has just reached for the first time on its day, in percent; null: none. */
export function reachedShare(budget: number, before: number, now: number): (typeof alarming)[number] | null {
  return alarming.findLast((percent) => before * 100 < budget * percent && now * 100 >= budget * percent) ?? null;
}
