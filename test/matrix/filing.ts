import type { Json, TestClient } from '../support/client.ts';
import { type Act, type Acts, type Arrange, eachCase, on } from './acts.ts';
import { follows, hears, node, reads } from './answers.ts';
import { Board, type Case, caseOf, done, type Where, writes } from './board.ts';
import { isRefusal, lookedAt, type Role, type Rule, readLaw } from './law.ts';
import { type Actor, type Scene, someApplication } from './scene.ts';
import { mutation } from './telling.ts';

const law = readLaw();
const title = 'Leaves';
const bytes = Buffer.from('Tomorrow at nine');

/** Finds, or makes, what one cell is about, and answers its id. */
type Find = (...at: Parameters<Act>) => Promise<string>;

/**
 * A file that is attached to nothing: made anew for who is to change it, once for all who are refused. Who is not signed in
 * has none of their own, and tries another's.
 */
const uploadOf =
  ({ answers }: Rule, own: boolean, make: (scene: Scene, by: TestClient) => Promise<string>): Find =>
  async (scene, who, role) => {
    const board = await Board.of(scene);
    const isOwn = own && who.token !== null;
    const upload = () => make(scene, isOwn ? who : board.colleague);
    return isRefusal(answers[role]) ? board.once(`${make.name} by ${isOwn ? role : 'a colleague'}`, upload) : upload();
  };

const uploaded = async ({ world }: Scene, by: TestClient): Promise<string> => (await world.upload(by)).id;
/** Its bytes have come, and it is not completed yet. */
const sent = async ({ world }: Scene, by: TestClient): Promise<string> =>
  (await world.send(by, 'notes.txt', bytes)).file.id;

/** The file of a post in some state; it is attached by whoever may edit the post in that state, or just before it is deleted. */
const fileOfPost =
  (which: Case): Find =>
  async (scene, who, role) => {
    const board = await Board.of(scene);
    const isOwn = which.own === true && writes(role, which.where);
    const author = isOwn ? who : board.colleague;
    const editor = which.state === 'DRAFT' ? author : scene.arranger;
    const isDeleted = which.state === 'DELETED';
    return board.once(`file of a post ${which.state} ${which.where} ${isOwn ? `by ${role}` : ''}`, async () => {
      const postId = await board.post(isDeleted ? { ...which, state: 'PUBLISHED' } : which, author);
      const fileId = await uploaded(scene, editor);
      await done(editor, 'UpdatePost', { input: { postId, fileIds: [fileId] } });
      if (isDeleted) await done(editor, 'DeletePost', { postId });
      return fileId;
    });
  };

/** The order that goes with an application; of somebody new, for who is not signed in. */
const fileOfApplication =
  (own: boolean): Find =>
  async (scene, who, role) => {
    const board = await Board.of(scene);
    const isOwn = own && who.token !== null;
    return board.once(`file of an application ${isOwn ? `by ${role}` : ''}`, async () => {
      const applicant = isOwn ? who : await scene.world.person('Applicant');
      const orderFileId = await uploaded(scene, applicant);
      await done(applicant, 'SubmitOrganizationApplication', { input: { ...someApplication(), orderFileId } });
      return orderFileId;
    });
  };

/** A new material, by a colleague who teaches there; removed again where the case says so. */
async function material(scene: Scene, { state, where }: Case): Promise<Json> {
  const board = await Board.of(scene);
  const { colleague } = board;
  const input = { groupId: board.group(where), title, fileId: await uploaded(scene, colleague) };
  const added = await done(colleague, 'AddMaterial', { input });
  if (state === 'removed') await done(colleague, 'RemoveMaterial', { materialId: added.id });
  return added;
}

/** The material that all look at, and the file of one. */
const shown =
  (which: Case): Find =>
  async (scene) =>
    (await Board.of(scene)).once(
      `material ${which.state} ${which.where}`,
      async () => (await material(scene, which)).id,
    );
const fileOfMaterial =
  (which: Case): Find =>
  async (scene) =>
    (await Board.of(scene)).once(
      `file of a material ${which.state} ${which.where}`,
      async () => (await material(scene, which)).file.id,
    );

/** Which file, or material, a case of the law is about. */
function findOf(rule: Rule, text: string): Find {
  const [, kind, rest = ''] = text.match(/^of an? (post|material|application) (.+)$/) ?? [];
  if (kind === 'post') return fileOfPost(caseOf(rest));
  if (kind === 'material') return fileOfMaterial(caseOf(rest));
  const own = (kind ? rest : text).startsWith('of one’s own');
  return kind === 'application' ? fileOfApplication(own) : uploadOf(rule, own, uploaded);
}

/** Reads a file: what is said of it, and by its link what is in it (§4.12). */
export const readsFile =
  (find: Find): Act =>
  async (scene, who, role) =>
    reads(who, 'File', { id: await find(scene, who, role) }, async ({ node: found }) => {
      if (!found) return 'NULL';
      const response = await who.fetch(found.url);
      await response.arrayBuffer();
      return response.status === 200 ? 'OK' : `its link answers ${response.status}`;
    });

function nodes(rule: Rule): Act | null {
  const [type = '', ...rest] = rule.case.split(' ');
  const text = rest.join(' ');
  if (type === 'File') return text.startsWith('of a message ') ? null : readsFile(findOf(lookedAt(rule), text));
  if (type !== 'Material') return null;
  const find = shown(caseOf(text));
  return async (...at) => node(at[1], await find(...at));
}

/** The materials of a group, in which there is one. */
const ofGroup =
  (where: Where): Act =>
  async (scene, who, role) => {
    const id = await shown(caseOf(`in ${where}`))(scene, who, role);
    const groupId = (await Board.of(scene)).group(where);
    return reads(who, 'Materials', { groupId }, ({ node: group }) => {
      const there: Json[] | undefined = group?.materials?.nodes;
      if (!there) return 'NULL';
      return there.some((one) => one.id === id) ? 'ALL' : JSON.stringify(there);
    });
  };

const placeOf = ({ case: text }: Rule): Case => caseOf(text.replace(/^of materials /, ''));
const isOfMaterials = ({ case: text }: Rule): boolean => text.startsWith('of materials ');

/** The group's staff give its material another title: everybody in the group hears of it. */
async function rename(scene: Scene, which: Case, who: Actor, role: Role): Promise<void> {
  const { colleague } = await Board.of(scene);
  const materialId = await shown(which)(scene, who, role);
  await done(colleague, 'UpdateMaterial', { input: { materialId, title: `${title}, for the ${role}` } });
}

/** Follows a group whose material changes meanwhile. */
function inGroup(rule: Rule): Act {
  const which = placeOf(rule);
  return async (scene, who, role) => {
    const groupId = (await Board.of(scene)).group(which.where);
    const cause = async () => (who.token ? rename(scene, which, who, role) : undefined);
    return follows(who, 'GroupEvents', { groupId }, 'MaterialChanged', cause);
  };
}

/** Follows the organization while a group's material changes, and then something is told to all: whether both are heard. */
function inOrganization(rule: Rule): Act {
  const which = placeOf(rule);
  return async (scene, who, role) => {
    const board = await Board.of(scene);
    const { world, school, arranger } = scene;
    const cause = async () => {
      if (!who.token) return '';
      await rename(scene, which, who, role);
      return world.post(arranger, board.channel('COMMUNITY'));
    };
    return hears(who, 'OrganizationEvents', { organizationId: school.id }, cause, (delivered) =>
      delivered.some((event) => event.__typename === 'MaterialChanged') ? 'OK' : 'NONE',
    );
  };
}

const asFile =
  (find: Find): Arrange =>
  async (...at) => ({ fileId: await find(...at) });

const files: Acts = {
  'Mutation.createUpload': on(
    'CreateUpload',
    async () => ({ input: { name: 'notes.txt', size: bytes.length } }),
    (upload) => upload.file.state === 'PENDING',
  ),
  ...mutation(
    'completeUpload',
    (rule) => asFile(uploadOf(rule, rule.case === 'of one’s own', sent)),
    ({ state }) => state === 'READY',
  ),
  ...mutation(
    'deleteUpload',
    (rule) => asFile(findOf(rule, rule.case)),
    ({ state }) => state === 'DELETED',
  ),
};

/** The material of a case: made anew for who is to change it, as it stands for all who are refused. */
const materialOf =
  ({ case: text, answers }: Rule): Arrange =>
  async (scene, who, role) => {
    const which = caseOf(text);
    const isRefused = isRefusal(answers[role]);
    return { materialId: isRefused ? await shown(which)(scene, who, role) : (await material(scene, which)).id };
  };

const renamed = 'Autumn leaves';

const materials: Acts = {
  ...mutation(
    'addMaterial',
    (rule) => async (scene, who, role) => {
      const groupId = (await Board.of(scene)).group(caseOf(rule.case).where);
      return { input: { groupId, title, fileId: await uploadOf(rule, true, uploaded)(scene, who, role) } };
    },
    (added) => added.title === title,
  ),
  ...mutation(
    'updateMaterial',
    materialOf,
    (updated) => updated.title === renamed,
    ({ materialId }) => ({ input: { materialId, title: renamed } }),
  ),
  ...mutation('removeMaterial', materialOf, ({ materialId }) => typeof materialId === 'string'),
};

/** How to run each rule on files and learning material. */
export const filing: Acts = {
  ...eachCase(law, 'Query.node', nodes),
  'Group.materials of one’s own group': ofGroup('GROUP of one’s own'),
  'Group.materials of another group': ofGroup('GROUP of others'),
  ...eachCase(law, 'Subscription.groupEvents', (rule) => (isOfMaterials(rule) ? inGroup(rule) : null)),
  ...eachCase(law, 'Subscription.organizationEvents', (rule) => (isOfMaterials(rule) ? inOrganization(rule) : null)),
  ...files,
  ...materials,
};
