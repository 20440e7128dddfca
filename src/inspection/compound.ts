import type { MediaType } from './allowed.ts';
import type { Content } from './content.ts';
import { Refused } from './refusal.ts';

/** The streams at the root of a compound file by which the programs of Office 97 know their documents. */
const mainStreams: Readonly<Record<string, MediaType | undefined>> = {
  WordDocument: 'application/msword',
  Workbook: 'application/vnd.ms-excel',
  Book: 'application/vnd.ms-excel',
  'PowerPoint Document': 'application/vnd.ms-powerpoint',
};
/** Where Word and Excel keep macros; PowerPoint hides them within its document, where they are not looked for. */
const macroStorages = ['Macros', '_VBA_PROJECT_CUR'];
/** A newer document with a password. */
const encrypted = 'EncryptedPackage';

/**
 * Which of the old Office formats an OLE compound file is; null when it is none that is allowed: an installer, a message, a
 * document with macros.
 * @throws Refused when it is a document with a password, RangeError when it is damaged
 */
export async function compoundType(content: Content): Promise<MediaType | null> {
  const names = rootNames(await directoryOf(content));
  if (names.includes(encrypted)) throw new Refused('UNREADABLE');
  if (names.some((name) => macroStorages.includes(name)) || packagesFile(await content.all())) return null;
  const types = new Set(names.flatMap((name) => mainStreams[name] ?? []));
  const [type] = types;
  return types.size === 1 && type ? type : null;
}

/** The stream in which a document keeps a file of any kind, to be opened with a double click. */
const packageStream = Buffer.from('\u0001Ole10Native', 'utf16le');

/** Whether a compound file holds another file, of whatever kind. */
export const packagesFile = (bytes: Buffer): boolean => bytes.includes(packageStream);

// [MS-CFB]: a file of sectors, chained by a table whose own sectors the header lists and, where they are many, a chain behind it.
const headerBytes = 512;
const entryBytes = 128;
/** Of sector and entry numbers, those from here on are marks, such as the end of a chain. */
const firstMark = 0xfffffffa;
/** Of any chain, so that none goes in circles; a directory of this length holds 4,000 names and more. */
const maxSectors = 1_000;

async function directoryOf(content: Content): Promise<Buffer> {
  const header = await content.read(0, headerBytes);
  const sectorBytes = header.readUInt16LE(30) === 12 ? 4096 : 512;
  const sector = (number: number) => content.read((number + 1) * sectorBytes, sectorBytes);
  const perSector = sectorBytes / 4;

  const tables = numbers(header.subarray(76));
  const further = await chain(header.readUInt32LE(68), sector, (_, content) => content.readUInt32LE(sectorBytes - 4));
  for (const content of further) tables.push(...numbers(content.subarray(0, -4)));

  const directory = await chain(header.readUInt32LE(48), sector, async (number) => {
    const table = await sector(tables[Math.floor(number / perSector)] ?? firstMark);
    return table.readUInt32LE((number % perSector) * 4);
  });
  return Buffer.concat(directory);
}

async function chain(
  first: number,
  sector: (number: number) => Promise<Buffer>,
  following: (number: number, content: Buffer) => number | Promise<number>,
): Promise<Buffer[]> {
  const contents: Buffer[] = [];
  for (let number = first; number < firstMark; ) {
    if (contents.length === maxSectors) throw new RangeError('a chain that is too long');
    const content = await sector(number);
    contents.push(content);
    number = await following(number, content);
  }
  return contents;
}

/** What lies at the root; a document within a document lies deeper. */
function rootNames(directory: Buffer): string[] {
  const names: string[] = [];
  const waiting = [directory.readUInt32LE(76)];
  const seen = new Set<number>();
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    if (number >= firstMark || seen.has(number)) continue;
    seen.add(number);
    const entry = directory.subarray(number * entryBytes, (number + 1) * entryBytes);
    const nameBytes = Math.min(entry.readUInt16LE(64), 64);
    // The length counts a closing NUL.
    names.push(entry.toString('utf16le', 0, Math.max(nameBytes - 2, 0)));
    waiting.push(entry.readUInt32LE(68), entry.readUInt32LE(72));
  }
  return names;
}

const numbers = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(index * 4));
