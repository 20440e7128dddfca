import type { Json } from '../support/client.ts';
import { does } from './answers.ts';
import type { Role, Rule } from './law.ts';
import type { Actor, Scene } from './scene.ts';

/** Arranges what somebody acts on, lets them act, and says what they are answered; `refused` is what the law says of them. */
export type Act = (scene: Scene, who: Actor, role: Role, refused?: boolean) => Promise<string>;

/** An act for each rule, by the rule's name. */
export type Acts = Readonly<Record<string, Act>>;

const ownScene = new WeakSet<Act>();

/** An act that changes who is what: it takes place in a school of its own. */
export function apart(act: Act): Act {
  ownScene.add(act);
  return act;
}

export const isApart = (act: Act): boolean => ownScene.has(act);

/** Makes what one cell alone acts on, and answers the operation's variables: those that it has, and more. */
export type Arrange = (scene: Scene, who: Actor, role: Role, refused?: boolean) => Promise<object>;

/** Runs a mutation on what `arrange` makes. */
export const on =
  (operation: string, arrange: Arrange, expected?: (result: Json) => boolean): Act =>
  async (scene, who, role, refused) =>
    does(who, operation, await arrange(scene, who, role, refused), expected);

/** Made anew for each who may change it, and once for all who are refused. */
export function spared(make: (scene: Scene) => Promise<object>): Arrange {
  const made = new WeakMap<Scene, Promise<object>>();
  return (scene, _who, _role, refused) => {
    if (!refused) return make(scene);
    const known = made.get(scene) ?? make(scene);
    made.set(scene, known);
    return known;
  };
}

export const inState =
  (state: string) =>
  (result: Json): boolean =>
    result.state === state;

/** An act for every case that the law has of a field: the case says what to arrange. */
export const eachCase = (law: readonly Rule[], field: string, act: (rule: Rule) => Act | null): Acts =>
  Object.fromEntries(
    law
      .filter((rule) => rule.field === field)
      .flatMap((rule) => {
        const found = act(rule);
        return found ? [[rule.name, found]] : [];
      }),
  );
