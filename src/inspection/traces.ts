import { open, readFile } from 'node:fs/promises';
import type { MediaType } from './allowed.ts';
import { blankBoxes } from './traces-boxes.ts';
import { blankGif, blankJpeg, blankPng, blankWebp } from './traces-images.ts';

/** Formats of boxes (ISO 14496-12): those of pictures, and those of video and sound. */
const pictures: readonly MediaType[] = ['image/heic', 'image/heif', 'image/avif'];
const recordings: readonly MediaType[] = ['video/mp4', 'video/quicktime', 'audio/mp4'];

const blanks: Readonly<Partial<Record<MediaType, (bytes: Buffer) => void>>> = {
  'image/jpeg': blankJpeg,
  'image/png': blankPng,
  'image/webp': blankWebp,
  'image/gif': blankGif,
};

/**
 * Overwrites in a picture, video or MP4 sound what tells where, when, by whom and with what it was made: EXIF with its position and
 * thumbnail, XMP, IPTC, comments, and whatever lies behind the end. Nothing is encoded anew and nothing moves: the file keeps its
 * length, each pixel, its orientation and its colours. Only what a format needs to be shown is kept, so what is unknown goes.
 */
export async function blankTraces(path: string, mediaType: MediaType): Promise<void> {
  const isPicture = pictures.includes(mediaType);
  if (isPicture || recordings.includes(mediaType)) {
    await using file = await open(path, 'r+');
    await blankBoxes(file, isPicture);
  }
  const blank = blanks[mediaType];
  if (!blank) return;
  const bytes = await readFile(path);
  blank(bytes);
  await using file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, 0);
}
