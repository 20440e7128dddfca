import { constants, crc32, deflateRawSync } from 'node:zlib';
import sharp from 'sharp';

/** A plain picture in colour, with an alpha channel where the format has one. */
export const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: { r: 20, g: 100, b: 200, alpha: 0.5 } } });

/** A photo as a phone takes it: full of detail, so that it compresses badly, and lying on its side. */
export const photo = (width: number, height: number): Promise<Buffer> =>
  sharp({
    create: { width, height, channels: 3, background: 'grey', noise: { type: 'gaussian', mean: 128, sigma: 30 } },
  })
    .withExif({ IFD0: { Make: 'Phone', Orientation: '6' }, IFD3: { GPSLatitude: '55/1 45/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 85 })
    .toBuffer();

/** A black PNG of any size in few bytes: whole megabytes of zeros are written as one deflated block again and again. */
export function blackPng(width: number, height: number, { interlaced = false, channels = 1, depth = 8 } = {}): Buffer {
  const colour = { 1: 0, 3: 2, 4: 6 }[channels] ?? 0;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, interlaced ? 1 : 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflatedZeros(width * height * channels * (depth / 8) + 4 * height)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), content]);
  return Buffer.concat([uint32(content.length), body, uint32(crc32(body))]);
}

function deflatedZeros(bytes: number): Buffer {
  const block = 2 ** 20;
  const blocks = Math.ceil(bytes / block);
  const zeros = deflateRawSync(Buffer.alloc(block), { level: 9, finishFlush: constants.Z_FULL_FLUSH });
  const end = deflateRawSync(Buffer.alloc(0));
  // Adler-32 of zeros: 1, and in the upper half their number.
  const checksum = uint32(((blocks * block) % 65_521) * 2 ** 16 + 1);
  return Buffer.concat([Buffer.from('789c', 'hex'), ...Array(blocks).fill(zeros), end, checksum]);
}

/** A HEIC as an iPhone's in all but the picture: what it is and how large is told, what it shows is not there. */
export function heic(width: number, height: number): Buffer {
  const type = box('ftyp', Buffer.from('heic'), uint32(0), Buffer.from('mif1heic'));
  const data = Buffer.from('000000022601', 'hex');
  const codec = box('hvcC', Buffer.from('010370000000b000000000005af000fcfdf8f800000f00', 'hex'));
  const size = box('ispe', uint32(0), uint32(width), uint32(height));
  const item = box('infe', Buffer.from('0200000000010000', 'hex'), Buffer.from('hvc1\0'));
  const meta = (offset: number) =>
    box(
      'meta',
      uint32(0),
      box('hdlr', uint32(0), uint32(0), Buffer.from('pict'), Buffer.alloc(13)),
      box('pitm', uint32(0), uint16(1)),
      box('iloc', uint32(0), Buffer.from('44000001000100000001', 'hex'), uint32(offset), uint32(data.length)),
      box('iinf', uint32(0), uint16(1), item),
      box('iprp', box('ipco', codec, size), box('ipma', uint32(0), uint32(1), Buffer.from('0001028102', 'hex'))),
    );
  return Buffer.concat([type, meta(type.length + meta(0).length + 8), box('mdat', data)]);
}

/** A box of the ISO base media format, of which HEIC and MP4 are made. */
export const box = (type: string, ...content: readonly Buffer[]): Buffer => {
  const body = Buffer.concat([Buffer.from(type), ...content]);
  return Buffer.concat([uint32(body.length + 4), body]);
};

function uint16(number: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(number);
  return buffer;
}

function uint32(number: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(number);
  return buffer;
}
