/**
 * Everything that may be uploaded, as its content tells, with the extensions that its name may have. An extension is compared in
 * lower case; a name may also have none, except for text, which nothing else tells from what only looks like it.
 */
export const allowedTypes = {
  'image/jpeg': ['jpg', 'jpeg', 'jfif'],
  'image/png': ['png', 'apng'],
  'image/webp': ['webp'],
  'image/gif': ['gif'],
  'image/heic': ['heic', 'heif', 'hif'],
  'image/heif': ['heif', 'heic', 'hif'],
  'image/avif': ['avif'],
  'application/pdf': ['pdf'],
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': ['docx'],
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': ['xlsx'],
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': ['pptx'],
  'application/vnd.oasis.opendocument.text': ['odt'],
  'application/vnd.oasis.opendocument.spreadsheet': ['ods'],
  'application/vnd.oasis.opendocument.presentation': ['odp'],
  'application/msword': ['doc'],
  'application/vnd.ms-excel': ['xls'],
  'application/vnd.ms-powerpoint': ['ppt'],
  'application/rtf': ['rtf'],
  'text/plain': ['txt'],
  'text/csv': ['csv'],
  'audio/mpeg': ['mp3'],
  'audio/mp4': ['m4a'],
  'audio/ogg': ['ogg', 'opus', 'oga'],
  'audio/wav': ['wav'],
  'video/mp4': ['mp4', 'm4v'],
  'video/quicktime': ['mov', 'qt'],
  'video/webm': ['webm'],
  'application/zip': ['zip'],
} as const;

export type MediaType = keyof typeof allowedTypes;

export const isAllowed = (mediaType: string): mediaType is MediaType => Object.hasOwn(allowedTypes, mediaType);

const extensions: ReadonlySet<string> = new Set(Object.values(allowedTypes).flat());

/**
 * In lower case; empty when the name has none, as «Приказ от 01.09.2026» and «План. 9 класс»; `?` when it is none of ours, whatever
 * it consists of.
 */
export function extensionOf(name: string): string {
  const [last = '', ...others] = name.trim().toLowerCase().split('.').reverse();
  if (others.length === 0 || /\s|^\d*$/u.test(last)) return '';
  return extensions.has(last) ? last : '?';
}

export function mayBeNamed(mediaType: MediaType, extension: string): boolean {
  const own: readonly string[] = allowedTypes[mediaType];
  return extension === '' || own.includes(extension);
}
