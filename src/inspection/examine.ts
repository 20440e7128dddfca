import { mayBeNamed } from './allowed.ts';
import { isImage, readImage } from './images.ts';
import type { Inspected } from './inspector.ts';
import { Refused } from './refusal.ts';
import { mediaTypeOf } from './sniff.ts';

/** All that is done with a file, in a process of its own. @throws Refused, and whatever the parsers throw at what they cannot read */
export async function examine(path: string, extension: string, previewPath: string): Promise<Inspected> {
  const mediaType = await mediaTypeOf(path, extension);
  if (!mayBeNamed(mediaType, extension)) throw new Refused('CONTENT_MISMATCH');
  if (isImage(mediaType)) return { mediaType, ...(await readImage(path, mediaType, previewPath)) };
  return { mediaType, width: null, height: null, hasPreview: false };
}
