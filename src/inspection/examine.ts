import { mayBeNamed } from './allowed.ts';
import type { Inspected } from './inspector.ts';
import { Refused } from './refusal.ts';
import { mediaTypeOf } from './sniff.ts';
import { blankTraces } from './traces.ts';

/**
 * All that is done with a file, in a process of its own. What it tells about who made it is overwritten before it is decoded, so that
 * what is stored has been decoded, too.
 * @throws Refused, and whatever parsers throw at what they cannot read
 */
export async function examine(path: string, extension: string, previewPath: string): Promise<Inspected> {
  const mediaType = await mediaTypeOf(path, extension);
  if (!mayBeNamed(mediaType, extension)) throw new Refused('CONTENT_MISMATCH');
  await blankTraces(path, mediaType);
  if (!mediaType.startsWith('image/')) return { mediaType, width: null, height: null, hasPreview: false };
  // Loading libvips takes a third of the time that another file's inspection takes.
  const { readImage } = await import('./images.ts');
  return { mediaType, ...(await readImage(path, mediaType, previewPath)) };
}
