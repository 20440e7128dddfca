import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Inspector, startInspector } from '../src/inspection/inspector.ts';
import { startTestApp } from './support/app.ts';
import { box, heic, picture } from './support/pictures.ts';
import { startUploads, type Uploads } from './support/uploads.ts';

// On a busy machine inspections, which come after everything else, take their time.
vi.setConfig({ testTimeout: 120_000 });

let uploads: Uploads;
let inspector: Inspector;

beforeAll(async () => {
  uploads = await startUploads();
  inspector = startInspector({ timeoutMs: 60_000 });
});
afterAll(async () => {
  await inspector[Symbol.asyncDispose]();
  await uploads[Symbol.asyncDispose]();
});

const author = 'Zqkauthor';
const place = '55/1 45/1 1234567/10000';
const exif = {
  IFD0: { Artist: author, Make: author, Software: author, Orientation: '6' },
  IFD3: { GPSLatitude: place, GPSLatitudeRef: 'N' },
};
const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>${author}</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>`;

/** As a phone's, lying on its side, in a colour space of its own. */
const taken = (): Sharp =>
  sharp({
    create: {
      width: 48,
      height: 32,
      channels: 3,
      background: '#2080c0',
      noise: { type: 'gaussian', mean: 128, sigma: 40 },
    },
  })
    .withIccProfile('p3')
    .withExif(exif)
    .withXmp(xmp)
    .withMetadata({ orientation: 6 });

/** What is stored of what somebody sends. */
async function stored(name: string, content: Buffer): Promise<Buffer> {
  const upload = await uploads.add(name, content);
  await inspector.inspect(upload);
  return readFile(upload.path);
}

const pixels = (bytes: Buffer): Promise<Buffer> => sharp(bytes, { animated: true }).raw().toBuffer();

describe('a picture is stored without what tells where and by whom it was taken', () => {
  test.each<[string, () => Promise<Buffer>]>([
    ['jpg', () => taken().jpeg().toBuffer()],
    ['png', () => taken().png().toBuffer()],
    ['webp', () => taken().webp().toBuffer()],
    ['avif', () => taken().avif().toBuffer()],
  ])('%s: as long as it was, with the same pixels, orientation and colours', async (extension, take) => {
    const sent = await take();
    const before = await sharp(sent).metadata();
    expect(before.exif?.includes(author)).toBe(true);
    const kept = await stored(`a.${extension}`, sent);
    const after = await sharp(kept).metadata();
    expect(kept.length).toBe(sent.length);
    expect(kept.includes(author)).toBe(false);
    // Seconds of a degree, as EXIF writes them in either byte order.
    for (const seconds of ['0087d612', '12d68700']) expect(kept.includes(Buffer.from(seconds, 'hex'))).toBe(false);
    expect(await pixels(kept)).toEqual(await pixels(sent));
    const { orientation, icc, autoOrient } = before;
    expect(after).toMatchObject({ autoOrient });
    expect(after.icc).toEqual(icc);
    if (extension !== 'avif') expect([after.orientation, orientation]).toEqual([6, 6]);
  });

  test('what lies behind a photo, as the video of a moment, its comments and its thumbnail', async () => {
    const clean = await picture(40, 30).jpeg().toBuffer();
    const said = (marker: number, text: string) =>
      Buffer.concat([Buffer.from([0xff, marker, 0, text.length + 2]), Buffer.from(text, 'latin1')]);
    const segments = [said(0xfe, author), said(0xed, `Photoshop 3.0\0${author}`), said(0xe2, `MPF\0${author}`)];
    const sent = Buffer.concat([
      clean.subarray(0, 2),
      ...segments,
      clean.subarray(2),
      Buffer.from(`MotionPhoto${author}`),
    ]);
    const kept = await stored('a.jpg', sent);
    expect(kept.includes(author)).toBe(false);
    expect(kept.length).toBe(sent.length);
    expect(await pixels(kept)).toEqual(await pixels(clean));
  });

  test('an animation goes on, as often as it did, without its comments', async () => {
    const frame = { create: { width: 20, height: 60, channels: 3, background: 'red' }, raw: undefined } as const;
    const still = await sharp({
      ...frame,
      create: { ...frame.create, noise: { type: 'gaussian', mean: 99, sigma: 60 } },
    })
      .raw()
      .toBuffer();
    const frames = sharp(still, { raw: { width: 20, height: 60, channels: 3, pageHeight: 20 } });
    for (const [extension, sent] of [
      [
        'gif',
        await frames
          .clone()
          .gif({ loop: 3, delay: [50, 60, 70] })
          .toBuffer(),
      ],
      [
        'webp',
        await frames
          .clone()
          .webp({ loop: 3, delay: [50, 60, 70] })
          .withExif(exif)
          .toBuffer(),
      ],
    ] as const) {
      const commented = extension === 'gif' ? withComment(sent) : sent;
      expect(commented.includes(author)).toBe(true);
      const kept = await stored(`a.${extension}`, commented);
      expect(kept.includes(author)).toBe(false);
      const { pages, loop, delay } = await sharp(kept, { animated: true }).metadata();
      expect({ pages, loop, delay }).toEqual({ pages: 3, loop: 3, delay: [50, 60, 70] });
      expect(await pixels(kept)).toEqual(await pixels(sent));
    }
  });

  test('text chunks of a PNG, and what lies behind its end', async () => {
    const clean = await picture(20, 20).png().toBuffer();
    const text = Buffer.from(`tEXtAuthor\0${author}`);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length - 4);
    const chunk = Buffer.concat([length, text, Buffer.alloc(4)]);
    const sent = Buffer.concat([clean.subarray(0, 33), chunk, clean.subarray(33), Buffer.from(author)]);
    const kept = await stored('a.png', sent);
    expect(kept.includes(author)).toBe(false);
    expect(await pixels(kept)).toEqual(await pixels(clean));
  });
});

/** A comment before the first frame, longer than one block of it. */
function withComment(gif: Buffer): Buffer {
  const long = author.repeat(28);
  const text = Buffer.from(long.slice(0, 252));
  const rest = Buffer.from(author);
  const comment = Buffer.concat([
    Buffer.from([0x21, 0xfe, text.length]),
    text,
    Buffer.from([rest.length]),
    rest,
    Buffer.from([0]),
  ]);
  const packed = gif[10] ?? 0;
  const at = 13 + (packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0);
  return Buffer.concat([gif.subarray(0, at), comment, gif.subarray(at)]);
}

describe('a recording is stored without where it was made', () => {
  const said = Buffer.from(`©xyz+55.7512+037.6184/${author}`);
  const track = (handler: string) =>
    box('trak', box('mdia', box('hdlr', Buffer.alloc(8), Buffer.from(handler), Buffer.alloc(13))), box('udta', said));

  test('in the places where phones and cameras write it; sound and picture do not move', async () => {
    const ftyp = box('ftyp', Buffer.from('isom\0\0\x02\0isomiso2avc1mp41'));
    const data = box('mdat', Buffer.from('picture and sound'));
    const sent = Buffer.concat([
      ftyp,
      box('uuid', said),
      box('moov', box('mvhd', Buffer.alloc(100)), track('vide'), track('meta'), box('udta', said), box('meta', said)),
      data,
      box('mpvd', said),
    ]);
    for (const name of ['a.mp4', 'a.m4a']) {
      const kept = await stored(name, sent);
      expect(kept.includes(author)).toBe(false);
      expect(kept.length).toBe(sent.length);
      expect(kept.indexOf(data)).toBe(sent.indexOf(data));
      expect([kept.includes('mvhd'), kept.includes('vide'), kept.includes('hdlr')]).toEqual([true, true, true]);
    }
  });

  test('what a HEIC says beside its picture goes as well', async () => {
    const plain = heic(40, 30);
    const kept = await stored('a.heic', Buffer.concat([plain, box('mpvd', said)]));
    expect(kept.includes(author)).toBe(false);
    expect(kept.subarray(0, plain.length)).toEqual(plain);
  });
});

test('whoever downloads the original of a photo gets it without its place, and of the size that is told', async () => {
  await using app = await startTestApp();
  const person = await app.world.person();
  const sent = Buffer.from(await taken().jpeg().toBuffer());
  const { id, size } = await app.world.upload(person, { name: 'photo.jpg', bytes: sent });
  const { node } = await person.run('File', { id });
  const downloaded = Buffer.from(await (await person.fetch(node.url)).arrayBuffer());
  expect(downloaded.length).toBe(size);
  expect(downloaded.includes(author)).toBe(false);
  expect((await sharp(downloaded).metadata()).orientation).toBe(6);
});
