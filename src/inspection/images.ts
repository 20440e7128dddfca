import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import type { MediaType } from './allowed.ts';
import type { Inspected } from './inspector.ts';
import { Refused } from './refusal.ts';

/** As many as phones make in one picture. Together with the watchdog it bounds the memory of libvips. */
const maxPixels = 100_000_000;
/** Of a preview, on its longer side. */
const previewPixels = 800;
const previewQuality = 75;

/** By the names that libvips gives them. */
const formats: Readonly<Partial<Record<MediaType, string>>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/heic': 'heif',
  'image/heif': 'heif',
  'image/avif': 'heif',
};

const patented: readonly MediaType[] = ['image/heic', 'image/heif'];

// libvips reads far more than we allow, SVG and TIFF among it, and decides by content, too.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((format) => `VipsForeignLoad${format}`),
});
sharp.cache(false);
sharp.concurrency(1);

/**
 * The size of an image as it is shown, turned by its EXIF, and its preview: a WebP without metadata, of the first frame, never
 * larger than the image. HEIC has no preview where libvips lacks its patented decoder, as in what sharp brings along.
 * @throws Refused, and an error where it cannot be decoded
 */
export async function readImage(
  path: string,
  mediaType: MediaType,
  previewPath: string,
): Promise<Omit<Inspected, 'mediaType'>> {
  const { format, autoOrient } = await sharp(path, { limitInputPixels: false }).metadata();
  if (format !== formats[mediaType]) throw new Refused('UNREADABLE');
  const { width, height } = autoOrient;
  if (width * height > maxPixels) throw new Refused('IMAGE_TOO_LARGE');

  const preview = await previewOf(path).catch((error: unknown) => {
    if (patented.includes(mediaType)) return null;
    throw error;
  });
  if (preview) await writeFile(previewPath, preview);
  return { width, height, hasPreview: preview !== null };
}

/** All of the image is decoded for it, except for the later frames of an animation. */
const previewOf = (path: string): Promise<Buffer> =>
  // Phones write JPEGs that are not quite right, so warnings do not count; a missing end does.
  sharp(path, { limitInputPixels: maxPixels, failOn: 'error' })
    .autoOrient()
    .resize(previewPixels, previewPixels, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: previewQuality })
    .toBuffer();
