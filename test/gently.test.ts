import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { gently } from '../src/documents/gently.ts';

const busyFor = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

test('a text that is asked for a hundred times is made once', async () => {
  const made: string[] = [];
  const shout = gently((text) => {
    made.push(text);
    return text.toUpperCase();
  });
  const answers = await Promise.all(Array.from({ length: 100 }, () => shout('words')));
  expect(new Set(answers)).toEqual(new Set(['WORDS']));
  expect(made).toEqual(['words']);
});

test('of texts that take long one is made in each turn of the event loop, so that others come in between', async () => {
  const order: string[] = [];
  const slowly = gently((text) => {
    busyFor(6);
    order.push(text);
    return text;
  });
  const all = Promise.all(['first', 'second', 'third'].map(slowly));
  await nextTurn();
  order.push('somebody else');
  await all;
  expect(order[0]).toBe('first');
  expect(order.indexOf('somebody else')).toBeLessThan(order.indexOf('third'));
});
