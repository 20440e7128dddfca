import type { MediaType } from '../../src/inspection/allowed.ts';
import { compound } from './compounds.ts';
import { box, heic, photo, picture } from './pictures.ts';
import { officeDocument, openDocument, zip } from './zips.ts';

export const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

/** The beginning of a file, and nothing behind it. */
export const padded = (start: Buffer | string, bytes = 4_000): Buffer =>
  Buffer.concat([Buffer.from(start), Buffer.alloc(bytes)]);
const windows1251 = Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2, 0x0d, 0x0a]);
export const executable = padded('MZ\x90\0\x03');

/** A file of every kind that is allowed. */
export const samples = async (): Promise<Record<MediaType, Buffer | string>> => ({
  'image/jpeg': await photo(40, 30),
  'image/png': await picture(40, 30).png().toBuffer(),
  'image/webp': await picture(40, 30).webp().toBuffer(),
  'image/gif': await picture(40, 30).gif().toBuffer(),
  'image/avif': await picture(40, 30).avif().toBuffer(),
  'image/heic': heic(40, 30),
  'image/heif': Buffer.concat([box('ftyp', Buffer.from('mif1\0\0\0\0mif1heic')), heic(40, 30).subarray(24)]),
  'application/pdf': padded('%PDF-1.7\n'),
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document':
    officeDocument('wordprocessingml.document'),
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': officeDocument('spreadsheetml.sheet'),
  'application/vnd.openxmlformats-officedocument.presentationml.presentation':
    officeDocument('presentationml.presentation'),
  'application/vnd.oasis.opendocument.text': openDocument('text'),
  'application/vnd.oasis.opendocument.spreadsheet': openDocument('spreadsheet'),
  'application/vnd.oasis.opendocument.presentation': openDocument('presentation'),
  'application/msword': compound(['1Table', 'WordDocument'], { within: 'Workbook' }),
  'application/vnd.ms-excel': compound(['Workbook']),
  'application/vnd.ms-powerpoint': compound(['Pictures', 'Current User', 'PowerPoint Document']),
  'application/rtf': '{\\rtf1\\ansi Привет}',
  'text/plain': 'Привет, «ёлочки» 🎄\n',
  'text/csv': windows1251,
  'audio/mpeg': padded(hex('fffb9000')),
  'audio/mp4': box('ftyp', Buffer.from('M4A \0\0\0\0M4A mp42')),
  'audio/ogg': padded(Buffer.concat([padded('OggS', 24), Buffer.from('OpusHead')])),
  'audio/wav': padded('RIFF\0\0\0\0WAVEfmt '),
  'video/mp4': box('ftyp', Buffer.from('isom\0\0\x02\0isomiso2avc1mp41')),
  'video/quicktime': box('ftyp', Buffer.from('qt  \0\0\x02\0qt  ')),
  'video/webm': padded(hex('1a45dfa3 87 4282 84 7765626d')),
  'application/zip': zip([{ name: 'Домашнее задание.txt', content: 'Стр. 5' }]),
});
