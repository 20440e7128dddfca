import type { Entry, ZipFile } from 'yauzl';
import type { MediaType } from './allowed.ts';
import { type Content, ofBytes } from './content.ts';
import { isAllowedEntry, isAllowedPart, type TypeOf } from './entries.ts';
import { Refused } from './refusal.ts';

const maxEntries = 10_000;
/** Of all entries together, unpacked. */
const maxBytes = 500_000_000;
/** How many times larger than the file its content may be, unless it is small. */
const maxRatio = 100;
const smallBytes = 10_000_000;

/** The entries that tell what kind of document an archive is; what is longer than this is none. */
const contentTypes = '[Content_Types].xml';
const tellingNames = ['mimetype', contentTypes];
const maxTellingBytes = 1_000_000;

/** Programs in an archive's clothes: Java's, Android's, Windows'. */
const programNames = ['META-INF/MANIFEST.MF', 'AndroidManifest.xml', 'AppxManifest.xml'];

const openDocuments: readonly MediaType[] = [
  'application/vnd.oasis.opendocument.text',
  'application/vnd.oasis.opendocument.spreadsheet',
  'application/vnd.oasis.opendocument.presentation',
];

const officeMain =
  /application\/vnd\.openxmlformats-officedocument\.(wordprocessingml\.document|spreadsheetml\.sheet|presentationml\.presentation)\.main\+xml/g;

/** Of an entry that is looked at as a whole; of a longer one its beginning is. */
const maxHeldBytes = 64_000_000;
const beginningBytes = 1_000_000;
/** Archives in archives in an archive. */
const maxDepth = 2;

/**
 * What kind of archive this is, after all of it was unpacked and looked at; null when it is one that is not allowed, as a program
 * or an Office document with macros, or has something in it that is not allowed. What is encrypted, or packed by another method than
 * Deflate, cannot be looked at.
 * @throws Refused, and another error where the archive is damaged or lies about its sizes
 */
export async function archiveType(content: Content, typeOf: TypeOf, depth = 0): Promise<MediaType | null> {
  if (depth > maxDepth) throw new Refused('ARCHIVE_TOO_LARGE');
  const zip = await content.unzip();
  const entries = await entriesOf(zip);
  refuseBomb(entries, zip.fileSize);

  const texts = new Map<string, string>();
  for (const entry of entries) {
    if (!tellingNames.includes(entry.fileName) || !entry.canDecodeFileData()) continue;
    const { bytes } = await unpack(zip, entry);
    if (entry.uncompressedSize <= maxTellingBytes) texts.set(entry.fileName, bytes.toString());
  }
  const mediaType = kindOf(new Set(entries.map((entry) => entry.fileName)), texts);
  if (!mediaType) return null;
  const isAllowed = mediaType === 'application/zip' ? isAllowedEntry : isAllowedPart;
  for (const entry of entries) {
    if (entry.fileName.endsWith('/')) continue;
    if (!entry.canDecodeFileData()) throw new Refused('UNREADABLE');
    const { bytes, size } = await unpack(zip, entry);
    if (!(await isAllowed(entry.fileName, ofBytes(bytes, size), typeOf))) return null;
  }
  return mediaType;
}

async function entriesOf(zip: ZipFile): Promise<Entry[]> {
  if (zip.entryCount > maxEntries) throw new Refused('ARCHIVE_TOO_LARGE');
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) entries.push(entry);
  return entries;
}

/** By what the directory declares. That it is the truth shows in unpacking, which yauzl stops at the first byte too many. */
function refuseBomb(entries: readonly Entry[], fileSize: number): void {
  const bytes = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0);
  if (bytes > maxBytes || (bytes > smallBytes && bytes > maxRatio * fileSize)) throw new Refused('ARCHIVE_TOO_LARGE');

  // Entries that share their compressed bytes unpack to far more than the file could hold; no honest program writes them.
  let free = 0;
  for (const entry of entries.toSorted((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader)) {
    const start = entry.relativeOffsetOfLocalHeader;
    if (start < free) throw new Refused('ARCHIVE_TOO_LARGE');
    free = start + localHeaderBytes + entry.fileNameLength + entry.compressedSize;
  }
}

/** Without the name and the extra fields. */
const localHeaderBytes = 30;

/** Unpacks an entry to the end, to see that it can be. */
async function unpack(zip: ZipFile, entry: Entry): Promise<{ bytes: Buffer; size: number }> {
  const most = entry.uncompressedSize <= maxHeldBytes ? maxHeldBytes : beginningBytes;
  const held: Buffer[] = [];
  let size = 0;
  for await (const chunk of await zip.openReadStreamPromise(entry)) {
    if (size < most) held.push(chunk);
    size += chunk.length;
  }
  return { bytes: Buffer.concat(held), size };
}

function kindOf(names: ReadonlySet<string>, texts: ReadonlyMap<string, string>): MediaType | null {
  if (programNames.some((name) => names.has(name))) return null;
  if (names.has('mimetype')) return openDocuments.find((type) => type === texts.get('mimetype')?.trim()) ?? null;
  if (names.has(contentTypes)) return officeType(names, texts.get(contentTypes) ?? '');
  return 'application/zip';
}

/** By the type of the main part, as Office itself decides. */
function officeType(names: ReadonlySet<string>, types: string): MediaType | null {
  if (/macro|vba/i.test(types) || [...names].some((name) => name.endsWith('vbaProject.bin'))) return null;
  const kinds = new Set([...types.matchAll(officeMain)].map(([, kind]) => kind));
  const [kind] = kinds;
  if (kinds.size !== 1 || !kind) return null;
  return `application/vnd.openxmlformats-officedocument.${kind}` as MediaType; // One of the three that the pattern names.
}
