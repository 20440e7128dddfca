import { open } from 'node:fs/promises';
import { decode } from '../documents/encoding.ts';
import { isAllowed, type MediaType } from './allowed.ts';
import { archiveType } from './archives.ts';
import { compoundType } from './compound.ts';
import { type Content, ofFile } from './content.ts';
import type { TypeOf } from './entries.ts';
import { Refused } from './refusal.ts';

/** Longer than this it is data, not text. It bounds the memory that decoding takes. */
const maxTextBytes = 50_000_000;

/** What file-type calls differently, or tells apart where we do not. */
const sameAs: Readonly<Record<string, MediaType | undefined>> = {
  'image/apng': 'image/png',
  'image/heic-sequence': 'image/heic',
  'image/heif-sequence': 'image/heif',
  'audio/x-m4a': 'audio/mp4',
  'audio/ogg; codecs=opus': 'audio/ogg',
  'video/x-m4v': 'video/mp4',
};

const simple = /^(image|audio|video)\/|^application\/(pdf|rtf)$/;

/**
 * What a file is by its beginning; what stands behind that, as an archive appended to a picture, is not looked for. The extension
 * decides only where the content cannot: text is taken for text when it is called so, and an MP4 of sound alone is known by `m4a`.
 * @throws Refused
 */
export async function mediaTypeOf(path: string, extension: string): Promise<MediaType> {
  await using file = await open(path);
  const { size } = await file.stat();
  const mediaType = await typeOf(ofFile(file, path, size), extension);
  if (!mediaType) throw new Refused('TYPE_NOT_ALLOWED');
  return mediaType;
}

/** As `mediaTypeOf`, of what may lie in archives; null: not allowed. */
async function typeOf(content: Content, extension: string, depth = 0): Promise<MediaType | null> {
  const within: TypeOf = (entry, name) => typeOf(entry, name, depth + 1);
  const sniffed = (await isZip(content)) ? await archiveType(content, within, depth) : await simpleType(content);
  if (sniffed === 'video/mp4' && extension === 'm4a') return 'audio/mp4';
  return sniffed ?? textType(content, extension);
}

/** By the local header of a first entry, or by the end of an archive without any. */
async function isZip(content: Content): Promise<boolean> {
  const start = await content.read(0, Math.min(content.size, 4));
  return ['PK\x03\x04', 'PK\x05\x06'].includes(start.toString('latin1'));
}

/** What is no archive. file-type looks behind a byte order mark and ID3 tags, too, so that it may find one all the same. */
async function simpleType(content: Content): Promise<MediaType | null> {
  const mime = await content.guess();
  if (mime === 'application/x-cfb') return compoundType(content);
  const mediaType = sameAs[mime] ?? mime;
  return isAllowed(mediaType) && simple.test(mediaType) ? mediaType : null;
}

/** Whatever language the text is in, markup too, it is stored as plain text; a file that a shell would run is not text. */
async function textType(content: Content, extension: string): Promise<MediaType | null> {
  if (extension !== 'txt' && extension !== 'csv') return null;
  if (content.size > maxTextBytes) return null;
  const text = decode(await content.all())?.text ?? null;
  if (text === null || text.startsWith('#!')) return null;
  return extension === 'csv' ? 'text/csv' : 'text/plain';
}
