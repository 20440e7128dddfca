import type { Role } from './law.ts';
import type { Actor, Scene } from './scene.ts';

/** Arranges what somebody acts on, lets them act, and says what they are answered. */
export type Act = (scene: Scene, who: Actor, role: Role) => Promise<string>;

/** An act for each rule, by the rule's name. */
export type Acts = Readonly<Record<string, Act>>;

const ownScene = new WeakSet<Act>();

/** An act that changes who is what: it takes place in a school of its own. */
export function apart(act: Act): Act {
  ownScene.add(act);
  return act;
}

export const isApart = (act: Act): boolean => ownScene.has(act);
