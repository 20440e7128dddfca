import { InvalidInput } from '../errors.ts';

/** A place in the log as clients hold it: opaque, valid for every subscription, tied to one history by its epoch. */
export function encodeCursor(epoch: string, position: number): string {
  return Buffer.from(`${epoch}.${position}`).toString('base64url');
}

/** @throws InvalidInput when the text was not made by `encodeCursor` */
export function decodeCursor(cursor: string): { epoch: string; position: number } {
  const plain = cursor.length <= 100 ? Buffer.from(cursor, 'base64url').toString() : '';
  const [, epoch, position] = /^([0-9a-f-]{36})\.(\d{1,15})$/.exec(plain) ?? [];
  if (!epoch || !position) throw new InvalidInput('after', 'INVALID_CURSOR');
  return { epoch, position: Number(position) };
}
