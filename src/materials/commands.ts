import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { attach, deleteFilesOf, replaceFiles } from '../attachments/commands.ts';
import { audit, type Deed } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { filesOf } from '../files/queries.ts';
import { forget } from '../forgetting/commands.ts';
import { globalId } from '../graphql/ids.ts';
import { canSeeGroup } from '../groups/policy.ts';
import { type GroupRow, groups } from '../groups/tables.ts';
import { idempotencyKey, line, prose, valid } from '../input.ts';
import { append, transact } from '../log/append.ts';
import { enterOrganization } from '../organizations/commands.ts';
import type { Viewer } from '../viewer.ts';
import { canKeepMaterials } from './policy.ts';
import { type MaterialRow, materials } from './tables.ts';

const title = line(200);
const description = prose(5_000);
const AddMaterial = z.object({ groupId: z.string(), title, description, fileId: z.string(), idempotencyKey });
const oneFile = { field: 'fileId', max: 1 };

/** Adds learning material to a group (§1.3). @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function addMaterial(db: Database, viewer: Viewer, input: unknown): Promise<MaterialRow> {
  const { fileId, ...wish } = valid(AddMaterial, input);
  return transact(db, async (tx) => {
    const group = await enterGroup(tx, viewer, wish.groupId);
    const first = wish.idempotencyKey ? await materialByKey(tx, viewer, wish.idempotencyKey) : null;
    if (first && (first.groupId !== group.id || (!first.removedAt && first.title !== wish.title))) {
      throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
    }
    if (first?.removedAt) throw new NotFound();
    if (first) return first;
    if (group.kind === 'STAFF') throw new InvalidInput('groupId', 'INVALID_STAFF_GROUP');
    if (group.state !== 'ACTIVE') throw new InvalidState(group.state);
    const [material] = await tx
      .insert(materials)
      .values({ ...wish, organizationId: group.organizationId, addedBy: viewer.userId })
      .returning();
    if (!material) throw new Error('insert returned no row');
    await attach(tx, ownerOf(material), [fileId], viewer, oneFile);
    const after = await described(tx, material);
    await record(tx, viewer, group, material, 'MATERIAL_ADDED', { action: 'material.add', after });
    return material;
  });
}

const UpdateMaterial = z.object({ title, description, fileId: z.string() }).partial();

/** Changes a material, or puts another file in the place of its own; what is left out stays. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function updateMaterial(
  db: Database,
  viewer: Viewer,
  materialId: string,
  input: unknown,
): Promise<MaterialRow> {
  const { fileId, ...changes } = valid(UpdateMaterial, input);
  return transact(db, async (tx) => {
    const { material: known, group } = await enterMaterial(tx, viewer, materialId);
    if (known.removedAt) throw new NotFound();
    if (group.state !== 'ACTIVE') throw new InvalidState(group.state);
    if (!fileId && Object.keys(changes).length === 0) return known;
    const before = await described(tx, known);
    if (fileId) await replaceFiles(tx, ownerOf(known), [fileId], viewer, oneFile);
    const material = await update(tx, known, { ...changes, changedAt: sql`now()` });
    const after = await described(tx, material);
    await record(tx, viewer, group, material, 'MATERIAL_UPDATED', { action: 'material.update', before, after });
    return material;
  });
}

/** Removes a material, its file and all that was said about it; a removed one stays so. @throws NotFound, Forbidden, InvalidState */
export async function removeMaterial(db: Database, viewer: Viewer, materialId: string): Promise<MaterialRow> {
  return transact(db, async (tx) => {
    const { material: known, group } = await enterMaterial(tx, viewer, materialId);
    if (known.removedAt) return known;
    const { id, organizationId } = known;
    await deleteFilesOf(tx, ownerOf(known));
    await forget(tx, viewer.userId, { type: 'Material', id, organizationId });
    const material = await update(tx, known, { removedAt: sql`now()` });
    await record(tx, viewer, group, material, 'MATERIAL_REMOVED', { action: 'material.remove' });
    return material;
  });
}

const ownerOf = ({ id, organizationId }: MaterialRow) => ({ kind: 'MATERIAL', id, organizationId }) as const;

async function materialByKey(tx: Transaction, { userId }: Viewer, key: string): Promise<MaterialRow | null> {
  const [found] = await tx
    .select()
    .from(materials)
    .where(and(eq(materials.addedBy, userId), eq(materials.idempotencyKey, key)));
  return found ?? null;
}

async function update(
  tx: Transaction,
  { id }: MaterialRow,
  changes: Parameters<ReturnType<typeof tx.update<typeof materials>>['set']>[0],
): Promise<MaterialRow> {
  const [material] = await tx.update(materials).set(changes).where(eq(materials.id, id)).returning();
  if (!material) throw new NotFound();
  return material;
}

/** The group, held still by its organization's lock, for whoever keeps its materials. @throws NotFound, Forbidden, InvalidState */
async function enterGroup(tx: Transaction, viewer: Viewer, groupId: string): Promise<GroupRow> {
  const find = () => tx.select().from(groups).where(eq(groups.id, groupId));
  const [known] = await find();
  if (!known) throw new NotFound();
  const { viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
  const [group] = await find();
  if (!group || !canSeeGroup(fresh, group)) throw new NotFound();
  if (!canKeepMaterials(fresh, group)) throw new Forbidden('FORBIDDEN_MATERIALS');
  return group;
}

/** As `enterGroup`. To whoever only reads, a removed one is not there. */
async function enterMaterial(tx: Transaction, viewer: Viewer, materialId: string) {
  const find = () => tx.select().from(materials).where(eq(materials.id, materialId));
  const [known] = await find();
  if (!known) throw new NotFound();
  const entered = await enterGroup(tx, viewer, known.groupId).catch((error: unknown) => {
    throw known.removedAt && error instanceof Forbidden ? new NotFound() : error;
  });
  const [material] = await find();
  if (!material) throw new NotFound();
  return { material, group: entered };
}

async function described(tx: Transaction, { id, title, description }: MaterialRow) {
  const [[file] = []] = await filesOf(tx, [id], () => {
    throw new Error('nobody is asked');
  });
  // Not the file’s name, which goes with it.
  return { title, description, file: file && globalId('File', file.id) };
}

/** Tells everybody in the group, and who leads. */
async function record(
  tx: Transaction,
  { userId }: Viewer,
  { organizationId, audienceId }: GroupRow,
  { id }: MaterialRow,
  kind: string,
  deed: Pick<Deed, 'action' | 'before' | 'after'>,
): Promise<void> {
  await append(tx, { kind, organizationId, audienceId, subjectId: id });
  await audit(tx, userId, { ...deed, target: { type: 'Material', id }, organizationId });
}
