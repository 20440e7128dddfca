import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeCursor } from '../../src/log/cursor.ts';
import { FrameReader } from './load/frames.ts';
import { Cursors } from './load/record.ts';
import { Stream } from './load/stream.ts';
import { judge } from './load/verdict.ts';

const epoch = randomUUID();
const told = [3, 5, 9];

/** What is said of one subscription that hears these places, of those that its audience was told. */
function verdictOn(heard: readonly number[], { allowed = true, proof = '"School 1"', refusals = [] as string[] } = {}) {
  const cursors = new Cursors();
  const stream = new Stream({ query: '', variables: {}, proof, allowed });
  stream.refusals.push(...refusals);
  for (const position of heard) stream.take('{"id":"School 1"}', encodeCursor(epoch, position), cursors);
  const { streams: _streams, ...verdict } = judge([{ audiences: ['members'], stream }], { members: told }, cursors);
  return Object.fromEntries(Object.entries(verdict).filter(([, count]) => count > 0));
}

test('who hears exactly what was told has heard rightly', () => {
  expect(verdictOn(told)).toEqual({ delivered: 3 });
});

test('what is missing is lost, wherever it is missing', () => {
  expect(verdictOn([5, 9])).toEqual({ delivered: 2, lost: 1 });
  expect(verdictOn([3, 5])).toEqual({ delivered: 2, lost: 1 });
  expect(verdictOn([])).toEqual({ lost: 3 });
});

test('what comes again is a duplicate, what comes late is out of order', () => {
  expect(verdictOn([3, 5, 5, 9, 3])).toEqual({ delivered: 3, duplicate: 2 });
  expect(verdictOn([5, 3, 9])).toEqual({ delivered: 3, outOfOrder: 1 });
});

test('what was told to others is unauthorized, and so is anything for who was to be refused', () => {
  expect(verdictOn([3, 4, 5, 9])).toEqual({ delivered: 4, unauthorized: 1 });
  expect(verdictOn([3], { allowed: false, refusals: ['NOT_FOUND'] })).toEqual({ delivered: 1, unauthorized: 1 });
  expect(verdictOn([], { allowed: false, refusals: ['INTERNAL'] })).toEqual({ unauthorized: 1 });
  expect(verdictOn([], { allowed: false })).toEqual({ lost: 1 });
  expect(verdictOn([], { allowed: false, refusals: ['NOT_FOUND'] })).toEqual({});
});

test('a delivery without its content does not pass for one', () => {
  expect(verdictOn(told, { proof: '"School 2"' })).toEqual({ delivered: 3, unproven: 3 });
});

test('a message with another number than was its turn is out of order', () => {
  const numbers = (...all: number[]) => {
    const cursors = new Cursors();
    const stream = new Stream({ query: '', variables: {}, proof: '', allowed: true, numbered: true });
    all.forEach((number, index) => {
      stream.take(`{"message":{"number":${number},"text":"1"}}`, encodeCursor(epoch, told[index] ?? 0), cursors);
    });
    return judge([{ audiences: ['members'], stream }], { members: told }, cursors).outOfOrder;
  };
  expect(numbers(1, 2, 3)).toBe(0);
  expect(numbers(1, 3, 2)).toBe(2);
  expect(numbers(2, 3, 4)).toBe(1);
});

test('frames are read however they are cut', () => {
  const long = 'x'.repeat(300);
  const bytes = Buffer.concat([frame('short'), frame(long), frame('')]);
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new FrameReader();
    const texts: string[] = [];
    for (let from = 0; from < bytes.length; from += size) {
      // One buffer for all chunks, as sockets have it.
      const chunk = Buffer.alloc(400);
      const length = bytes.copy(chunk, 0, from, from + size);
      reader.read(chunk, length, {
        hear: (_opcode, read, start, end) => texts.push(read.toString('utf8', start, end)),
      });
      chunk.fill(0);
    }
    expect(texts).toEqual(['short', long, '']);
  }
});

/** As a server sends it: whole and without a mask. */
function frame(text: string): Buffer {
  const head = text.length < 126 ? [0x81, text.length] : [0x81, 126, text.length >> 8, text.length & 0xff];
  return Buffer.concat([Buffer.from(head), Buffer.from(text)]);
}
