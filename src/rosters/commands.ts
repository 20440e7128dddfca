import { z } from 'zod';
import { audit } from '../audit/commands.ts';
import { type ChildrenRegistered, registerChildren } from '../child-rosters/commands.ts';
import { childrenForRoster, countUnnumbered } from '../child-rosters/queries.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { writeTable } from '../documents/csv.ts';
import { Forbidden, InvalidInput, NotFound } from '../errors.ts';
import { academicYear, valid } from '../input.ts';
import { rehearse, transact } from '../log/append.ts';
import { enterOrganization } from '../organizations/commands.ts';
import { canSeeOrganization } from '../organizations/policy.ts';
import type { Organization } from '../organizations/tables.ts';
import { registerStaff, type StaffRegistered } from '../staff-rosters/commands.ts';
import { countUnrecorded, staffForRoster } from '../staff-rosters/queries.ts';
import type { Locale } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import { canImportRoster } from './policy.ts';
import { Groups, type Roster, readChildren, readStaff } from './queries.ts';
import {
  type ChildKey,
  childColumns,
  columnsIn,
  positionNames,
  type RosterKind,
  rosterKinds,
  type StaffKey,
  staffColumns,
} from './tables.ts';

const maxKilobytes = 700;

const ImportRoster = z.object({
  organizationId: z.string(),
  kind: z.enum(rosterKinds),
  academicYear,
  file: z.instanceof(Uint8Array),
  dryRun: z.boolean(),
});

/** What an import did, or would do. */
export interface RosterImport extends ChildrenRegistered, StaffRegistered {
  readonly kind: RosterKind;
  readonly applied: boolean;
  readonly rowCount: number;
}

const nothing: ChildrenRegistered & StaffRegistered = {
  addedCount: 0,
  updatedCount: 0,
  unchangedCount: 0,
  enrolledCount: 0,
  transferredCount: 0,
  namedGuardianCount: 0,
  expectedGuardianCount: 0,
  revokedGuardianCount: 0,
  assignedCount: 0,
  releasedCount: 0,
};

type Registrar = (tx: Transaction, entered: Entered) => Promise<Partial<RosterImport>>;
interface Entered {
  readonly organization: Organization;
  readonly actorId: string;
  readonly groups: Groups;
}

/**
 * Makes an organization's children, or its staff, what the institution's own table says (§1.4), all of it or nothing: the
 * same file twice changes nothing. A dry run does all the same and undoes it.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState, RosterInvalid
 */
export async function importRoster(db: Database, viewer: Viewer, input: unknown): Promise<RosterImport> {
  const wish = valid(ImportRoster, input);
  const { organizationId, kind, dryRun } = wish;
  if (wish.file.byteLength > maxKilobytes * 1024)
    throw new InvalidInput('file', 'INVALID_FILE_SIZE', { max: maxKilobytes });
  // Before a file is read, which takes longer than this, and before the organization waits for what was read.
  if (!canSeeOrganization(viewer, organizationId)) throw new NotFound();
  if (!canImportRoster(viewer, organizationId)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
  const { rowCount, register } = understood(kind, wish.file, viewer.locale);
  return (dryRun ? rehearse : transact)(db, async (tx) => {
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, organizationId);
    if (!canImportRoster(fresh, organizationId)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    const groups = await Groups.of(tx, organization, wish.academicYear);
    const done = { ...nothing, ...(await register(tx, { organization, actorId: fresh.userId, groups })), rowCount };
    await audit(tx, fresh.userId, {
      action: 'roster.import',
      target: { type: 'Organization', id: organizationId },
      organizationId,
      after: { kind, academicYear: wish.academicYear, ...done },
    });
    return { ...done, kind, applied: !dryRun };
  });
}

/** A file, and what makes it true. */
function understood(
  kind: RosterKind,
  file: Uint8Array,
  locale: Locale,
): { readonly rowCount: number; readonly register: Registrar } {
  if (kind === 'CHILDREN') {
    const roster = readChildren(file, locale);
    return {
      rowCount: roster.rowCount,
      register: async (tx, entered) => {
        const entries = await settled(roster, tx, entered);
        return registerChildren(tx, entered.organization, entered.actorId, entries);
      },
    };
  }
  const roster = readStaff(file, locale);
  return {
    rowCount: roster.rowCount,
    register: async (tx, entered) => {
      const entries = await settled(roster, tx, entered);
      return registerStaff(tx, entered.organization, entered.actorId, entries, entered.groups.ids);
    },
  };
}

const settled = <Entry>(roster: Roster<Entry>, tx: Transaction, { organization, groups }: Entered) =>
  roster.settle(tx, organization, groups);

const ExportRoster = z.object({
  organizationId: z.string(),
  kind: z.enum(rosterKinds),
  academicYear: academicYear.nullish().transform((value) => value ?? null),
});

/** A table as `importRoster` reads it. */
export interface RosterExport {
  readonly csv: string;
  readonly rowCount: number;
  readonly leftOutCount: number;
}

/** Takes out an organization's children or staff as a table that changes nothing when it is imported. @throws NotFound, Forbidden, InvalidState */
export async function exportRoster(db: Database, viewer: Viewer, input: unknown): Promise<RosterExport> {
  const { organizationId, kind, academicYear } = valid(ExportRoster, input);
  return transact(db, async (tx) => {
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, organizationId);
    if (!canImportRoster(fresh, organizationId)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    const write = kind === 'CHILDREN' ? writeChildren : writeStaff;
    const written = await write(tx, organization, academicYear, fresh.locale);
    await audit(tx, fresh.userId, {
      action: 'roster.export',
      target: { type: 'Organization', id: organizationId },
      organizationId,
      after: { kind, rowCount: written.rowCount },
    });
    return written;
  });
}

async function writeChildren(
  tx: Transaction,
  organization: Organization,
  year: string | null,
  locale: Locale,
): Promise<RosterExport> {
  const found = await childrenForRoster(tx, organization, year);
  const cells = found.map(({ groupName, birthDate, guardians, ...record }): Cells<ChildKey> => {
    const [first, second, third] = guardians.map(({ phone, name }) => ({
      phone,
      name: name.includes(' ') ? name : null,
    }));
    return {
      ...record,
      birthDate: birthDate && locale === 'ru' ? birthDate.split('-').toReversed().join('.') : birthDate,
      group: groupName,
      guardian1: first?.name ?? null,
      phone1: first?.phone ?? null,
      guardian2: second?.name ?? null,
      phone2: second?.phone ?? null,
      guardian3: third?.name ?? null,
      phone3: third?.phone ?? null,
    };
  });
  const csv = write(columnsIn(locale, childColumns), cells);
  return { csv, rowCount: cells.length, leftOutCount: await countUnnumbered(tx, organization) };
}

async function writeStaff(
  tx: Transaction,
  organization: Organization,
  year: string | null,
  locale: Locale,
): Promise<RosterExport> {
  const found = await staffForRoster(tx, organization, year);
  const cells = found.map(({ position, groupNames, ...record }): Cells<StaffKey> => {
    const name = position === 'HEAD' ? null : positionNames[position][locale][0];
    return { ...record, position: name, groups: groupNames.join('; ') };
  });
  const csv = write(columnsIn(locale, staffColumns), cells);
  return { csv, rowCount: cells.length, leftOutCount: await countUnrecorded(tx, organization) };
}

type Cells<Key extends string> = Readonly<Record<Key, string | null>>;

const write = <Key extends string>(
  columns: readonly { readonly key: Key; readonly titles: readonly [string, ...string[]] }[],
  rows: readonly Cells<Key>[],
): string =>
  writeTable(
    columns.map(({ titles: [title] }) => title),
    rows.map((row) => columns.map(({ key }) => row[key])),
  );
