import type { Json } from '../support/client.ts';
import { Board, caseOf } from './board.ts';
import { lookedAt, type MainRole, readLaw } from './law.ts';
import type { Scene } from './scene.ts';
import { commentOf, postOf } from './telling.ts';

/** What things say that the viewer may do with them, and of which rules that is a promise, apart from their case. */
const flags = {
  Group: {
    viewerCanKeepMaterials: ['addMaterial', 'updateMaterial', 'removeMaterial'],
  },
  Channel: {
    viewerCanUpdate: ['updateChannel'],
    viewerCanPublish: ['publishPost DRAFT of one’s own', 'schedulePost DRAFT of one’s own'],
    viewerCanSuggest: ['suggestPost DRAFT of one’s own'],
  },
  Post: {
    viewerCanEdit: ['updatePost'],
    viewerCanSuggest: ['suggestPost'],
    viewerCanPublish: ['publishPost', 'schedulePost', 'cancelScheduledPost'],
    viewerCanDecide: ['approveSuggestion', 'rejectSuggestion'],
    viewerCanKeep: ['pinPost', 'unpinPost', 'archivePost', 'restorePost', 'remindUnacknowledged'],
    viewerCanDelete: ['deletePost'],
    viewerCanReact: ['addReaction'],
    viewerCanComment: ['addComment'],
  },
  Comment: {
    viewerCanEdit: ['updateComment', 'deleteComment'],
    viewerCanModerate: ['approveComment', 'rejectComment'],
  },
} as const satisfies Record<string, Record<string, readonly string[]>>;
type Type = keyof typeof flags;

const law = readLaw();
const types = Object.keys(flags) as Type[]; // keys of a constant

const document = `query ($id: ID!) { node(id: $id) { ${types
  .map((type) => `... on ${type} { ${Object.keys(flags[type]).join(' ')} }`)
  .join(' ')} } }`;

/** The flags of a type, each with the rules that it is about in one case; those without a rule are left out. */
const rulesIn = (type: Type, which: string) =>
  Object.entries<readonly string[]>(flags[type])
    .map(([flag, names]) => ({
      flag,
      rules: law.filter((rule) => names.some((name) => rule.name === `Mutation.${name} ${which}`)),
    }))
    .filter(({ rules }) => rules.length > 0);

const casesOf = (type: Type): Set<string> =>
  new Set(
    Object.values<readonly string[]>(flags[type])
      .flat()
      .flatMap((name) =>
        law.filter((rule) => rule.name.startsWith(`Mutation.${name} `)).map((rule) => ({ name, rule })),
      )
      .map(({ name, rule }) => rule.name.slice(`Mutation.${name} `.length)),
  );

async function idOf(type: Type, which: string, scene: Scene, role: MainRole): Promise<string> {
  if (type === 'Group') return (await Board.of(scene)).group(caseOf(which).where) ?? '';
  if (type === 'Channel') return (await Board.of(scene)).channel(caseOf(which).where);
  const rule = law.find((candidate) => candidate.case === which);
  if (!rule) throw new Error(`law.md says nothing of ${which}`);
  const arrange = (type === 'Post' ? postOf : commentOf)(lookedAt(rule));
  return Object.values(await arrange(scene, scene.people[role], role))[0];
}

/** Every thing in every case of the law: what it says, beside what the law says. */
export const promises = types.flatMap((type) =>
  [...casesOf(type)].map((which) => ({
    type,
    which,
    async compare(scene: Scene, role: MainRole) {
      const id = await idOf(type, which, scene, role);
      const { data } = await scene.people[role].send(document, { id });
      const told: Json = data.node ?? {};
      const rules = rulesIn(type, which);
      return {
        // What is not seen promises nothing.
        says: Object.fromEntries(rules.map(({ flag }) => [flag, told[flag] ?? false])),
        promised: Object.fromEntries(
          rules.map(({ flag, rules: of }) => [flag, of.every(({ answers }) => answers[role] === 'OK')]),
        ),
      };
    },
  })),
);
