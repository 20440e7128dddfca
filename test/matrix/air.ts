import type { Json, TestClient } from '../support/client.ts';
import { type Board, type Case, caseOf, done, places, type Where } from './board.ts';
import type { Role } from './law.ts';
import type { Actor, Scene } from './scene.ts';
import { Talk } from './talk.ts';

export const wheres = Object.keys(places) as Where[]; // keys of a constant

/** Who can be made the host of a broadcast, by where it is. */
const hosts: Readonly<Record<Where, readonly Role[]>> = {
  COMMUNITY: ['administrator', 'head', 'verified staff', 'other staff'],
  STAFF: ['administrator', 'head', 'verified staff', 'other staff'],
  'GROUP of one’s own': ['administrator', 'head', 'verified staff'],
  'GROUP of others': ['administrator', 'head', 'other staff'],
};
export const canBeHost = (role: Role, where: Where): boolean => hosts[where].includes(role);

/** How a broadcast comes into a state. */
const steps: Readonly<Record<string, readonly string[]>> = {
  SCHEDULED: [],
  LIVE: ['StartBroadcast'],
  ENDED: ['StartBroadcast', 'EndBroadcast'],
  CANCELLED: ['CancelBroadcast'],
};

const days = (count: number): string => new Date(Date.now() + count * 86_400_000).toISOString();
export const title = 'The new playground';

/** `PENDING to oneself in COMMUNITY`: how a question stands, who asked whom, and where. */
export interface QuestionCase {
  readonly state: string;
  readonly whose: 'of one’s own' | 'of others' | 'to oneself';
  readonly where: Where;
}

export function questionCase(text: string): QuestionCase {
  const [, state = '', whose, where] = text.match(/^([A-Z]+) (of one’s own|of others|to oneself) in (.+)$/) ?? [];
  if (!whose) throw new Error(`law-of-meetings.md: what is “${text}”?`);
  return { state, whose: whose as QuestionCase['whose'], where: caseOf(`in ${where}`).where }; // as the expression has it
}

/** The school of a scene goes live. */
export class Air {
  readonly talk: Talk;
  readonly board: Board;
  readonly #scene: Scene;

  private constructor(scene: Scene, talk: Talk) {
    this.#scene = scene;
    this.talk = talk;
    this.board = talk.board;
  }

  static async of(scene: Scene): Promise<Air> {
    return new Air(scene, await Talk.of(scene));
  }

  /** A new broadcast, by an administrator, for the colleague to host unless somebody is given. */
  async plan(channelId: string, host: Actor = this.board.colleague, startsAt = days(1)): Promise<string> {
    const input = { channelId, title, startsAt, hostId: await this.talk.idOf(host), remindBefore: null };
    return (await done(this.#scene.arranger, 'ScheduleBroadcast', { input })).id;
  }

  /** The one of a place that is on everybody's list before all others. */
  listed(where: Where): Promise<string> {
    return this.board.once(`broadcast on the list ${where}`, () =>
      this.plan(this.board.channel(where), undefined, days(300)),
    );
  }

  /** A new broadcast in a state, in a channel of its own: in each one at a time is LIVE. */
  async broadcast({ state, where }: Pick<Case, 'state' | 'where'>, host?: Actor): Promise<string> {
    const broadcastId = await this.plan(await this.board.further(where, 'ACTIVE'), host);
    for (const step of steps[state] ?? []) await done(this.#scene.arranger, step, { broadcastId });
    return broadcastId;
  }

  /** The broadcast of a case: one's own where one can be the host; made anew, or as it stands for all. */
  async found({ state, own, where }: Case, who: Actor, role: Role, fresh = false): Promise<string> {
    const host = own && canBeHost(role, where) ? who : undefined;
    const make = () => this.broadcast({ state, where }, host);
    return fresh ? make() : this.board.once(`broadcast ${state} ${where} ${host ? `by ${role}` : ''}`, make);
  }

  /** Somebody who watches there, and has no column. */
  viewerIn(where: Where): Actor {
    return where === 'STAFF' ? this.talk.clerk : this.board.parent;
  }

  async ask(broadcastId: string, by: TestClient): Promise<string> {
    return (await done(by, 'AskBroadcastQuestion', { broadcastId, text: 'Is there a slide?' })).id;
  }

  /** The question of a case, as `found`. Who may not ask there, or has none that waits, finds another's. */
  async question({ state, whose, where }: QuestionCase, who: Actor, role: Role, fresh = false): Promise<string> {
    const asks = whose === 'of one’s own' && this.asks(role, where, state);
    const make = async () => {
      const broadcastId = await this.found({ state: 'LIVE', own: whose === 'to oneself', where }, who, role);
      const asker = asks ? who : this.viewerIn(where);
      const questionId = await this.ask(broadcastId, asker);
      const { arranger } = this.#scene;
      if (state === 'SHOWN') await done(arranger, 'ApproveBroadcastQuestion', { questionId });
      if (state === 'ANSWERED') await done(arranger, 'AnswerBroadcastQuestion', { questionId, answer: 'Yes' });
      if (state === 'REJECTED') await done(arranger, 'RejectBroadcastQuestion', { questionId });
      if (state === 'WITHDRAWN') await done(asker, 'WithdrawBroadcastQuestion', { questionId });
      return questionId;
    };
    const by = asks || (whose === 'to oneself' && canBeHost(role, where)) ? role : '';
    return fresh ? make() : this.board.once(`question ${state} ${whose} ${where} ${by}`, make);
  }

  asks(role: Role, where: Where, state: string): boolean {
    const leads = role === 'administrator' || role === 'head';
    return leads ? state === 'SHOWN' : askers[where].includes(role);
  }
}

/** Who watches there, but does not lead. */
const askers: Readonly<Record<Where, readonly Role[]>> = {
  COMMUNITY: [
    'verified staff',
    'guardian',
    'student',
    'other staff',
    'other guardian',
    'LIMITED guardian',
    'former guardian',
  ],
  STAFF: ['verified staff', 'other staff'],
  'GROUP of one’s own': ['verified staff', 'guardian', 'student', 'LIMITED guardian'],
  'GROUP of others': ['other staff', 'other guardian', 'former guardian'],
};

/** Reads what a thing says, in one document, and makes an answer of it. */
export async function says(
  who: TestClient,
  id: string,
  fields: string,
  read: (thing: Json) => string,
): Promise<string> {
  const { data, errors } = await who.send(`query ($id: ID!) { node(id: $id) { ${fields} } }`, { id });
  if (errors) return errors[0]?.extensions.code ?? errors[0]?.message;
  return data.node ? read(data.node) : 'NULL';
}
