import { and, eq } from 'drizzle-orm';
import type { z } from 'zod';
import type { ChildEntry, GuardianEntry } from '../child-rosters/commands.ts';
import { birthDate } from '../children/commands.ts';
import type { Executor } from '../database/connect.ts';
import { type Problem, type Row, readTable } from '../documents/csv.ts';
import { DomainError, InvalidInput } from '../errors.ts';
import { groups } from '../groups/tables.ts';
import { line, phoneNumber } from '../input.ts';
import type { Organization } from '../organizations/tables.ts';
import type { StaffEntry } from '../staff-rosters/commands.ts';
import { staffByNumber, staffByPhone } from '../staff-rosters/queries.ts';
import type { Locale, TextKey, TextValues } from '../texts.ts';
import type { Position } from '../viewer.ts';
import {
  type ChildKey,
  childColumns,
  columnsIn,
  guardianPlaces,
  positionNames,
  type StaffKey,
  staffColumns,
} from './tables.ts';

const maxProblems = 100;

// Made once: a schema takes longer to make than a cell to check.
const shortLine = { max: 100, schema: line(100) };
const fullName = { max: 300, schema: line(300) };

/** A file that cannot be what it should be; nothing was changed. `problems` are its first 100. */
export class RosterInvalid extends DomainError {
  readonly code = 'ROSTER_INVALID';
  readonly problems: readonly Problem[];
  readonly problemCount: number;
  constructor(problems: readonly Problem[], problemCount: number) {
    super('ROSTER_INVALID', { count: problemCount });
    this.problems = problems.toSorted((one, other) => one.row - other.row).slice(0, maxProblems);
    this.problemCount = problemCount;
  }
}

/** A file that is being understood, and what is wrong with it so far. */
class Reading<Key extends string> {
  readonly rows: readonly Row<Key>[];
  readonly locale: Locale;
  readonly #titles: Readonly<Record<string, string | undefined>>;
  readonly #problems: Problem[];
  #problemCount: number;

  constructor(file: Uint8Array, columns: Parameters<typeof columnsIn<Key>>[1], locale: Locale) {
    const table = readTable(file, columnsIn(locale, columns));
    this.rows = table.rows;
    this.locale = locale;
    this.#titles = table.titles;
    this.#problems = [...table.problems];
    this.#problemCount = table.problemCount;
  }

  /** Whether the file has a column at all: what it does not have, it says nothing about. */
  has(key: Key): boolean {
    return this.#titles[key] !== undefined;
  }

  report({ row }: Row<Key>, key: Key, text: TextKey, values: TextValues = {}): null {
    this.#problemCount++;
    if (this.#problems.length < 2 * maxProblems)
      this.#problems.push({ row, column: this.#titles[key] ?? null, text, values });
    return null;
  }

  /** What a cell says by a rule; null when it is empty, or wrong and reported. */
  read<Value>(row: Row<Key>, key: Key, schema: z.ZodType<Value>, text: TextKey, values: TextValues = {}): Value | null {
    const cell = row.values[key];
    if (cell === null) return null;
    const result = schema.safeParse(cell);
    return result.success ? result.data : this.report(row, key, text, values);
  }

  line(row: Row<Key>, key: Key, { max, schema } = shortLine): string | null {
    return this.read(row, key, schema, 'ROSTER_CELL_LINE', { max });
  }

  /** A line that must be there; the empty text, where it is not, is reported. */
  neededLine(row: Row<Key>, key: Key): string {
    if (row.values[key] === null) this.report(row, key, 'ROSTER_CELL_EMPTY');
    return this.line(row, key) ?? '';
  }

  phone(row: Row<Key>, key: Key): string | null {
    const cell = row.values[key];
    try {
      return cell === null ? null : phoneNumber(cell);
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      return this.report(row, key, 'INVALID_PHONE');
    }
  }

  /** Reports a value that an earlier row has already. */
  once(seen: Map<string, number>, row: Row<Key>, key: Key, value: string | null): void {
    if (!value) return;
    const before = seen.get(value);
    if (before === undefined) seen.set(value, row.row);
    else this.report(row, key, 'ROSTER_TWICE', { row: before });
  }

  /** @throws RosterInvalid if anything is wrong */
  demandRight(): void {
    if (this.#problemCount > 0) throw new RosterInvalid(this.#problems, this.#problemCount);
  }
}

/** What a roster says, but for what only the database knows: `settle` reads that, in the transaction that acts on it. */
export interface Roster<Entry> {
  readonly rowCount: number;
  /** @throws RosterInvalid */
  settle(db: Executor, organization: Organization, groups: Groups): Promise<readonly Entry[]>;
}

/** Reads a table of children and of who stands for them. */
export function readChildren(file: Uint8Array, locale: Locale): Roster<ChildEntry> {
  const reading = new Reading(file, childColumns, locale);
  const numbers = new Map<string, number>();
  const people = new Map<string, { row: number; name: string }>();
  const found = reading.rows.map((row) => {
    const externalId = reading.neededLine(row, 'externalId');
    reading.once(numbers, row, 'externalId', externalId);
    const record = {
      externalId,
      familyName: reading.neededLine(row, 'familyName'),
      givenName: reading.neededLine(row, 'givenName'),
      patronymic: reading.has('patronymic') ? reading.line(row, 'patronymic') : undefined,
      birthDate: reading.has('birthDate') ? readBirthDate(reading, row) : undefined,
    };
    return { row, record, guardians: readGuardians(reading, row, people) };
  });
  return {
    rowCount: found.length,
    settle: async (_db, _organization, groups) => {
      const entries = found.map(({ row, record, guardians }) => {
        const name = row.values.group;
        const groupId =
          name === null ? null : groups.find(name, (text, values) => reading.report(row, 'group', text, values));
        return { ...record, groupId, guardians };
      });
      reading.demandRight();
      return entries;
    },
  };
}

function readBirthDate(reading: Reading<ChildKey>, row: Row<ChildKey>): string | null {
  const [, day = '', month = '', year = ''] =
    /^(\d\d?)\.(\d\d?)\.(\d{4})(?: г\.?)?$/.exec(row.values.birthDate ?? '') ?? [];
  const iso = year ? `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` : row.values.birthDate;
  const values = { ...row.values, birthDate: iso };
  return reading.read({ ...row, values }, 'birthDate', birthDate, 'ROSTER_BIRTH_DATE');
}

function readGuardians(
  reading: Reading<ChildKey>,
  row: Row<ChildKey>,
  people: Map<string, { row: number; name: string }>,
): GuardianEntry[] {
  const seen = new Map<string, number>();
  return guardianPlaces.flatMap((place) => {
    const [nameKey, phoneKey] = [`guardian${place}`, `phone${place}`] as const;
    const name = readFullName(reading, row, nameKey);
    const phone = reading.phone(row, phoneKey);
    if (row.values[nameKey] !== null && row.values[phoneKey] === null)
      reading.report(row, reading.has(phoneKey) ? phoneKey : nameKey, 'ROSTER_GUARDIAN_PHONE');
    reading.once(seen, row, phoneKey, phone);
    if (!phone) return [];
    if (name) {
      const written = Object.values(name).join(' ').toLowerCase().replaceAll('ё', 'е');
      const other = people.get(phone);
      if (other && other.name !== written) reading.report(row, nameKey, 'ROSTER_OTHER_NAME', { row: other.row });
      if (!other) people.set(phone, { row: row.row, name: written });
    }
    return [{ phone, name }];
  });
}

/** Family name, given name, and what follows as patronymic. */
function readFullName(reading: Reading<ChildKey>, row: Row<ChildKey>, key: ChildKey): GuardianEntry['name'] {
  const whole = reading.line(row, key, fullName);
  if (whole === null) return null;
  const [familyName = '', givenName = '', ...others] = whole.split(/\s+/);
  if (!givenName) return reading.report(row, key, 'ROSTER_FULL_NAME');
  return { familyName, givenName, patronymic: others.join(' ') || null };
}

/** Reads a table of employees. */
export function readStaff(file: Uint8Array, locale: Locale): Roster<StaffEntry> {
  const reading = new Reading(file, staffColumns, locale);
  const [numbers, phones] = [new Map<string, number>(), new Map<string, number>()];
  const found = reading.rows.map((row) => {
    const externalId = reading.neededLine(row, 'externalId');
    reading.once(numbers, row, 'externalId', externalId);
    if (row.values.phone === null) reading.report(row, 'phone', 'ROSTER_CELL_EMPTY');
    const phone = reading.phone(row, 'phone') ?? '';
    reading.once(phones, row, 'phone', phone);
    const record = {
      externalId,
      familyName: reading.neededLine(row, 'familyName'),
      givenName: reading.neededLine(row, 'givenName'),
      patronymic: reading.has('patronymic') ? reading.line(row, 'patronymic') : undefined,
      phone,
      position: readPosition(reading, row),
    };
    return { row, record };
  });
  return {
    rowCount: found.length,
    settle: async (db, organization, groups) => {
      await demandFreePhones(db, organization, reading, found);
      const entries = found.map(({ row, record }) => {
        const cell = row.values.groups;
        const report = (text: TextKey, values: TextValues) => reading.report(row, 'groups', text, values);
        return { ...record, groupIds: cell === null ? null : groups.findAll(cell, report) };
      });
      reading.demandRight();
      return entries;
    },
  };
}

function readPosition(reading: Reading<StaffKey>, row: Row<StaffKey>): StaffEntry['position'] {
  const cell = row.values.position;
  if (cell === null) reading.report(row, 'position', 'ROSTER_CELL_EMPTY');
  const position = positions.get(plain(cell ?? ''));
  if (cell !== null && !position) {
    const known = Object.values(positionNames).map((names) => names[reading.locale][0]);
    reading.report(row, 'position', 'ROSTER_POSITION', { positions: known.join(', ') });
  }
  return position ?? 'OTHER';
}

/** Reports the phones of records that the file does not name. */
async function demandFreePhones(
  db: Executor,
  organization: Organization,
  reading: Reading<StaffKey>,
  found: readonly { readonly row: Row<StaffKey>; readonly record: { externalId: string; phone: string } }[],
): Promise<void> {
  const numbers = found.map(({ record }) => record.externalId);
  const phones = found.map(({ record }) => record.phone);
  const [named, holders] = [
    await staffByNumber(db, organization, numbers),
    await staffByPhone(db, organization, phones),
  ];
  for (const { row, record } of found) {
    const externalId = holders.get(record.phone)?.externalId;
    if (externalId && !named.has(externalId)) reading.report(row, 'phone', 'ROSTER_PHONE_TAKEN', { externalId });
  }
}

/** A name as people compare it: case, spaces, quotes, hyphens and the dots of ё do not matter. */
const plain = (name: string): string =>
  name
    .normalize('NFC')
    .toLowerCase()
    .replaceAll('ё', 'е')
    .replace(/[\s"'«»„“”]/gu, '')
    .replace(/[‐‑–—]/gu, '-');

const positions = new Map(
  Object.entries(positionNames).flatMap(([position, { ru, en }]) =>
    [position, ...ru, ...en].map((name): [string, StaffEntry['position']] => [
      plain(name),
      position as Exclude<Position, 'HEAD'>, // a key of that very record
    ]),
  ),
);

type Report = (text: TextKey, values: TextValues) => null;

/** The active groups of an academic year, by their names. */
export class Groups {
  readonly ids: ReadonlySet<string>;
  readonly #year: string;
  readonly #byName: ReadonlyMap<string, string>;
  readonly #alike: ReadonlyMap<string, readonly string[]>;

  private constructor(year: string, found: readonly { readonly id: string; readonly name: string }[]) {
    this.ids = new Set(found.map(({ id }) => id));
    this.#year = year;
    this.#byName = new Map(found.map(({ id, name }) => [name, id]));
    const alike = Map.groupBy(found, ({ name }) => plain(name));
    this.#alike = new Map([...alike].map(([name, all]) => [name, all.map(({ id }) => id)]));
  }

  static async of(db: Executor, { id }: Organization, year: string): Promise<Groups> {
    const found = await db
      .select({ id: groups.id, name: groups.name })
      .from(groups)
      .where(and(eq(groups.organizationId, id), eq(groups.academicYear, year), eq(groups.state, 'ACTIVE')));
    return new Groups(year, found);
  }

  /** The group that a cell names: exactly, or alike if it is the only one. */
  find(name: string, report: Report): string | null {
    const [alike, another] = this.#alike.get(plain(name)) ?? [];
    const id = this.#byName.get(name) ?? (another ? undefined : alike);
    return id ?? report(another ? 'ROSTER_GROUPS_ALIKE' : 'ROSTER_GROUP', { year: this.#year });
  }

  /** The groups that a cell names: one, or some with `;` or `,` between them. */
  findAll(cell: string, report: Report): string[] {
    const whole = this.#byName.has(cell) || this.#alike.has(plain(cell));
    const names = whole ? [cell] : cell.split(cell.includes(';') ? ';' : ',').map((name) => name.trim());
    return names.filter(Boolean).flatMap((name) => this.find(name, report) ?? []);
  }
}
