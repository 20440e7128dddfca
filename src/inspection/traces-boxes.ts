import type { FileHandle } from 'node:fs/promises';

interface Box {
  readonly type: string;
  readonly start: number;
  /** Where its content begins, and ends. */
  readonly body: number;
  readonly end: number;
}

/** What a file may consist of. Whatever else stands on the top level, as a maker's own data, is not needed to show it. */
const topLevel = new Set('ftyp styp pdin moov moof mfra mdat free skip wide sidx ssix prft'.split(' '));
/** Boxes of boxes, in which descriptions may stand, and what those are called. */
const containers = new Set('moov trak mdia minf moof traf'.split(' '));
const descriptions = new Set(['udta', 'meta', 'uuid']);
/** Tracks that are neither seen nor heard nor read, as positions along the way. */
const dataTrack = 'meta';

/** Of a picture's description; longer ones are not made. */
const maxMetaBytes = 16_000_000;
/** Items of a picture that describe it. */
const describing = new Set(['Exif', 'mime', 'uri ']);

/** Empties boxes that describe a picture or recording (ISO 14496-12, 23008-12); they stay as room that nobody reads. */
export async function blankBoxes(file: FileHandle, isPicture: boolean): Promise<void> {
  const { size } = await file.stat();
  for await (const box of boxesIn(file, 0, size)) {
    if (isPicture && box.type === 'meta') await blankItems(file, box, size);
    else if (containers.has(box.type)) await blankWithin(file, box);
    else if (!topLevel.has(box.type)) await free(file, box);
  }
}

async function blankWithin(file: FileHandle, container: Box): Promise<void> {
  for await (const box of boxesIn(file, container.body, container.end)) {
    if (descriptions.has(box.type) || (await isDataTrack(file, box))) await free(file, box);
    else if (containers.has(box.type)) await blankWithin(file, box);
  }
}

async function isDataTrack(file: FileHandle, track: Box): Promise<boolean> {
  if (track.type !== 'trak') return false;
  for await (const media of boxesIn(file, track.body, track.end)) {
    if (media.type !== 'mdia') continue;
    for await (const handler of boxesIn(file, media.body, media.end)) {
      if (handler.type !== 'hdlr') continue;
      return (await bytesAt(file, handler.body + 8, 4)).toString('latin1') === dataTrack;
    }
  }
  return false;
}

async function* boxesIn(file: FileHandle, start: number, end: number): AsyncGenerator<Box> {
  for (let at = start; at + 8 <= end; ) {
    const header = await bytesAt(file, at, 16);
    const short = header.readUInt32BE(0);
    const bytes = short === 1 ? Number(header.readBigUInt64BE(8)) : short || end - at;
    const body = at + (short === 1 ? 16 : 8);
    // Damaged from here on, for players too.
    if (at + bytes < body) return;
    yield { type: header.toString('latin1', 4, 8), start: at, body, end: Math.min(at + bytes, end) };
    at += bytes;
  }
}

async function free(file: FileHandle, { start, body, end }: Box): Promise<void> {
  await file.write(Buffer.from('free'), 0, 4, start + 4);
  await blank(file, body, end);
}

const zeros = Buffer.alloc(64 * 1024);

async function blank(file: FileHandle, start: number, end: number): Promise<void> {
  for (let at = start; at < end; at += zeros.length) await file.write(zeros, 0, Math.min(zeros.length, end - at), at);
}

/** As many bytes, with zeros for those behind the end of the file. */
async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer } = await file.read({ buffer: Buffer.alloc(length), position });
  return buffer;
}

/** Blanks what the directory of a picture's items calls a description, wherever it lies. */
async function blankItems(file: FileHandle, meta: Box, size: number): Promise<void> {
  if (meta.end - meta.body > maxMetaBytes) throw new RangeError('a description that is too long');
  const found = new Map<string, Box>();
  for await (const box of boxesIn(file, meta.body + 4, meta.end)) found.set(box.type, box);
  const [information, location, inside] = ['iinf', 'iloc', 'idat'].map((type) => found.get(type));
  if (!information || !location) return;
  const ids = await describingItems(file, information);
  for (const { id, isInside, start, end } of extentsOf(
    await bytesAt(file, location.body, location.end - location.body),
  )) {
    if (!ids.has(id)) continue;
    const around = isInside ? inside : { body: 0, end: size };
    if (around) await blank(file, around.body + start, Math.min(around.body + end, around.end));
  }
}

async function describingItems(file: FileHandle, information: Box): Promise<ReadonlySet<number>> {
  const ids = new Set<number>();
  const version = (await bytesAt(file, information.body, 1))[0];
  for await (const { type, body } of boxesIn(file, information.body + (version === 0 ? 6 : 8), information.end)) {
    const entry = await bytesAt(file, body, 14);
    const idBytes = entry[0] === 3 ? 4 : 2;
    const itemType = entry.toString('latin1', 6 + idBytes, 10 + idBytes);
    if (type === 'infe' && describing.has(itemType)) ids.add(entry.readUIntBE(4, idBytes));
  }
  return ids;
}

interface Extent {
  readonly id: number;
  /** In the description itself, not counted from the beginning of the file. */
  readonly isInside: boolean;
  readonly start: number;
  readonly end: number;
}

/** ItemLocationBox. @throws RangeError where it is shorter than it says */
function extentsOf(content: Buffer): Extent[] {
  let at = 0;
  const next = (bytes: number): number => {
    at += bytes;
    if (bytes === 8) return Number(content.readBigUInt64BE(at - 8));
    return bytes === 0 ? 0 : content.readUIntBE(at - bytes, bytes);
  };
  const version = next(1);
  next(3);
  const [sizes, baseSizes] = [next(1), next(1)];
  const wide = version === 2 ? 4 : 2;
  const extents: Extent[] = [];
  for (let items = next(wide); items > 0; items--) {
    const id = next(wide);
    const method = version === 0 ? 0 : next(2) & 0xf;
    next(2);
    const base = next(baseSizes >> 4);
    for (let parts = next(2); parts > 0; parts--) {
      if (version > 0) next(baseSizes & 0xf);
      const start = base + next(sizes >> 4);
      const length = next(sizes & 0xf);
      // Nothing said means all there is.
      extents.push({ id, isInside: method === 1, start, end: length === 0 ? Infinity : start + length });
    }
  }
  return extents;
}
