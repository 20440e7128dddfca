import { crc32 } from 'node:zlib';
import { blankExif } from './traces-exif.ts';

const startsWith = (bytes: Buffer, text: string): boolean => bytes.toString('latin1', 0, text.length) === text;
const exifMark = 'Exif\0\0';

/** Blanks EXIF, with its mark before it or without, but for the orientation. Answers whether one is left. */
function blankMarkedExif(content: Buffer): boolean {
  return blankExif(startsWith(content, exifMark) ? content.subarray(exifMark.length) : content);
}

/** ITU T.81: segments of a marker and a length, and behind the one that begins a scan its data, where FF is followed by 00. */
export function blankJpeg(bytes: Buffer): void {
  let at = 2;
  while (at >= 0 && at + 4 <= bytes.length) {
    const marker = bytes[at] === 0xff ? (bytes[at + 1] ?? 0) : null;
    if (marker === 0xd9) {
      // Behind the end lie previews, other exposures, and the video of a «motion photo», each with metadata of its own.
      bytes.fill(0, at + 2);
      return;
    }
    const isSegment = marker !== null && marker >= 0xc0 && marker < 0xff && !(marker >= 0xd0 && marker <= 0xd8);
    if (!isSegment) {
      at = bytes.indexOf(0xff, at + (marker === null || marker === 0xff ? 1 : 2));
      continue;
    }
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    blankSegment(marker, bytes.subarray(at + 4, end));
    at = Math.max(end, at + 2);
  }
}

/** Of the application's segments and comments only these say how the picture is shown. */
function blankSegment(marker: number, content: Buffer): void {
  const isApplications = marker >= 0xe0 && marker <= 0xef;
  if (!isApplications && marker !== 0xfe) return;
  if (marker === 0xe2 && startsWith(content, 'ICC_PROFILE\0')) return;
  // Up to the size of a thumbnail, and up to the kind of colours.
  if (marker === 0xe0 && startsWith(content, 'JFIF\0')) content.fill(0, 12);
  else if (marker === 0xee && startsWith(content, 'Adobe')) content.fill(0, 12);
  else if (marker === 0xe1 && startsWith(content, exifMark)) {
    // Without an orientation it need not be there at all.
    if (!blankMarkedExif(content)) content.fill(0);
  } else content.fill(0);
}

/** Chunks beside the critical ones, whose names begin with a capital: colours, size on paper, and frames of an animation. */
const pngKept = new Set(
  'tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST pHYs sPLT acTL fcTL fdAT eXIf'.split(' '),
);

export function blankPng(bytes: Buffer): void {
  let at = 8;
  let type = '';
  while (type !== 'IEND' && at + 12 <= bytes.length) {
    const end = at + 8 + bytes.readUInt32BE(at);
    if (end + 4 > bytes.length) return;
    type = bytes.toString('latin1', at + 4, at + 8);
    const content = bytes.subarray(at + 8, end);
    const isKept = type.charCodeAt(0) < 0x61 || pngKept.has(type);
    const hasExif = type === 'eXIf' && blankMarkedExif(content);
    if (!isKept || (type === 'eXIf' && !hasExif)) {
      // A name that no standard will ever give, for what readers leave aside.
      bytes.write('juNk', at + 4, 'latin1');
      content.fill(0);
    }
    if (!isKept || type === 'eXIf') bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end);
    at = end + 4;
  }
  bytes.fill(0, at);
}

const webpKept = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);
const frameHeaderBytes = 16;
/** Flags of VP8X. */
const [exifFlag, xmpFlag] = [0x08, 0x04];

export function blankWebp(bytes: Buffer): void {
  if (bytes.length < 12) return;
  const end = Math.min(8 + bytes.readUInt32LE(4), bytes.length);
  const hasExif = blankChunks(bytes, 12, end);
  const isExtended = end > 20 && bytes.toString('latin1', 12, 16) === 'VP8X';
  if (isExtended) bytes[20] = (bytes[20] ?? 0) & ~xmpFlag & (hasExif ? 0xff : ~exifFlag);
  bytes.fill(0, end);
}

function blankChunks(bytes: Buffer, start: number, limit: number): boolean {
  let hasExif = false;
  for (let at = start; at + 8 <= limit; ) {
    const length = bytes.readUInt32LE(at + 4);
    const end = Math.min(at + 8 + length, limit);
    const type = bytes.toString('latin1', at, at + 4);
    const content = bytes.subarray(at + 8, end);
    if (type === 'ANMF') blankChunks(bytes, at + 8 + frameHeaderBytes, end);
    const isExif = type === 'EXIF' && blankMarkedExif(content);
    hasExif ||= isExif;
    if (!webpKept.has(type) && !isExif) {
      bytes.write('JUNK', at, 'latin1');
      content.fill(0);
    }
    at = at + 8 + length + (length % 2);
  }
  return hasExif;
}

/** How often an animation is shown, and colours. */
const gifKept = ['NETSCAPE2.0', 'ANIMEXTS1.0', 'ICCRGBG1012'];
const [extension, image, comment, graphicControl, application] = [0x21, 0x2c, 0xfe, 0xf9, 0xff];

export function blankGif(bytes: Buffer): void {
  const tableBytes = (packed: number): number => (packed & 0x80 ? 3 * 2 ** ((packed & 7) + 1) : 0);
  let at = 13 + tableBytes(bytes[10] ?? 0);
  for (let block = bytes[at]; block === extension || block === image; block = bytes[at]) {
    if (block === image) {
      at = endOfBlocks(bytes, at + 11 + tableBytes(bytes[at + 9] ?? 0));
      continue;
    }
    const label = bytes[at + 1];
    const end = endOfBlocks(bytes, at + 2);
    const isKept =
      label === graphicControl ||
      (label === application && gifKept.includes(bytes.toString('latin1', at + 3, at + 14)));
    if (!isKept) {
      bytes[at + 1] = comment;
      blankBlocks(bytes.subarray(at + 2, end - 1));
    }
    at = end;
  }
  bytes.fill(0, at + 1);
}

/** Behind the empty block that ends a row of blocks of up to 255 bytes. */
function endOfBlocks(bytes: Buffer, start: number): number {
  let at = start;
  for (let length = bytes[at]; length; length = bytes[at]) at += length + 1;
  return at + 1;
}

/** As many bytes of blocks that say nothing. */
function blankBlocks(blocks: Buffer): void {
  blocks.fill(0);
  for (let at = 0; at < blocks.length; ) {
    const left = blocks.length - at - 1;
    // Not so many that a single byte is left, which would be an end.
    const length = left === 256 ? 254 : Math.min(left, 255);
    blocks[at] = length;
    at += length + 1;
  }
}
