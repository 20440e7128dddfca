import { extensionOf, type MediaType, mayBeNamed } from './allowed.ts';
import { packagesFile } from './compound.ts';
import type { Content } from './content.ts';
import { Refused } from './refusal.ts';

/** What the content of an entry is, as of a file that comes alone; null: not allowed. Archives in it are opened in their turn. */
export type TypeOf = (content: Content, extension: string) => Promise<MediaType | null>;

/** What systems put beside the files of people: the colours of a folder, small pictures. */
const besides = /(^|\/)(__MACOSX\/.*|\.DS_Store|Thumbs\.db|desktop\.ini)$/i;
/** They make a name read from right to left, so that it seems to end otherwise. */
const turning = /[\u202a-\u202e\u2066-\u2069]/;

/** Whether a file in an archive would be taken if it came alone. @throws Refused when it is not what its name promises */
export async function isAllowedEntry(name: string, content: Content, typeOf: TypeOf): Promise<boolean> {
  if (besides.test(name)) return ['', 'application/x-cfb'].includes(await content.guess());
  const extension = extensionOf(name.slice(name.lastIndexOf('/') + 1));
  if (extension === '?' || turning.test(name)) return false;
  if (content.size === 0) return true;
  const mediaType = await typeOf(content, extension);
  if (mediaType && !mayBeNamed(mediaType, extension)) throw new Refused('CONTENT_MISMATCH');
  return mediaType !== null;
}

const programs = /^application\/(x-msdownload|x-elf|x-mach-binary|x\.ms\.shortcut|java-vm|wasm)$/;
/** Where documents keep what runs: macros of LibreOffice, controls of Office. */
const running = /^(Basic|Scripts)\/|\/activeX\/|\.(exe|dll|com|scr|bat|cmd|ps1|vbs|js|jse|wsf|hta|msi|lnk|jar|reg)$/i;

/** Whether a part of a document may be in it: anything but a program, a package that holds files, or a document with macros. */
export async function isAllowedPart(name: string, content: Content, typeOf: TypeOf): Promise<boolean> {
  if (running.test(name)) return false;
  if (content.size === 0) return true;
  const guessed = await content.guess();
  if (programs.test(guessed)) return false;
  if (guessed === 'application/x-cfb') return !packagesFile(await content.all());
  const isArchive = (await content.read(0, Math.min(content.size, 4))).equals(Buffer.from('PK\x03\x04'));
  return !isArchive || (await typeOf(content, '')) !== null;
}
