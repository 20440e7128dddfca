import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allowedTypes, type MediaType } from '../src/inspection/allowed.ts';
import { type Inspected, type Inspector, startInspector } from '../src/inspection/inspector.ts';
import { Refused } from '../src/inspection/refusal.ts';
import { compound } from './support/compounds.ts';
import { blackPng, box, heic, photo, picture } from './support/pictures.ts';
import { executable, hex, padded, samples } from './support/samples.ts';
import { startUploads, type Uploads } from './support/uploads.ts';
import { officeDocument, openDocument, zip } from './support/zips.ts';

let uploads: Uploads;
let inspector: Inspector;

beforeAll(async () => {
  uploads = await startUploads();
  inspector = startInspector({ timeoutMs: 60_000 });
});

afterAll(async () => {
  await inspector[Symbol.asyncDispose]();
  await uploads[Symbol.asyncDispose]();
});

/** What became of a file: what it is, or why it was refused. */
async function outcome(name: string, content: Buffer | string): Promise<Inspected | string> {
  const file = await uploads.add(name, content);
  return inspector.inspect(file).catch((error: unknown) => {
    if (error instanceof Refused) return error.refusal;
    throw error;
  });
}

/** Why a file could not be read, as operators are told. */
async function reason(name: string, content: Buffer): Promise<string> {
  const error: unknown = await inspector.inspect(await uploads.add(name, content)).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ refusal: 'UNREADABLE', cause: { stderr: expect.any(String) } });
  return String((error as { cause: { stderr: string } }).cause.stderr);
}

const outcomes = (contents: Record<string, Buffer | string>) =>
  Promise.all(Object.entries(contents).map(async ([name, content]) => [name, await outcome(name, content)]));

const all = (contents: Record<string, unknown>, refusal: string) =>
  Object.keys(contents).map((name) => [name, refusal]);

describe('what a file is', () => {
  test('every allowed kind is known by its content', async () => {
    const contents = Object.entries(await samples());
    const named = contents.map(([mediaType, content]) => {
      const extension = allowedTypes[mediaType as MediaType].at(-1);
      return { mediaType, name: `Файл 1.${extension}`, content };
    });
    const wrong = named.map(async ({ mediaType, name, content }) => {
      const found = await outcome(name, content);
      return typeof found === 'object' && found.mediaType === mediaType ? [] : [{ name, found }];
    });
    expect((await Promise.all(wrong)).flat()).toEqual([]);
  });

  test('case, spaces and dates at the end of a name are not an extension', async () => {
    const pdf = padded('%PDF-1.7\n');
    expect(
      await outcomes({ 'Приказ.PDF ': pdf, 'Приказ от 01.09.2026': pdf, 'План. 9 класс': pdf, Приказ: pdf }),
    ).toEqual(
      ['Приказ.PDF ', 'Приказ от 01.09.2026', 'План. 9 класс', 'Приказ'].map((name) => [
        name,
        { mediaType: 'application/pdf', width: null, height: null, hasPreview: false },
      ]),
    );
  });

  test('an MP4 of sound alone is told by its name, since recorders mark it like a film', async () => {
    const content = box('ftyp', Buffer.from('mp42\0\0\0\0isommp42'));
    expect(await outcome('Голос.m4a', content)).toMatchObject({ mediaType: 'audio/mp4' });
    expect(await outcome('Голос.mp4', content)).toMatchObject({ mediaType: 'video/mp4' });
  });

  test('programs, scripts, markup and everything else are refused, whatever they are called', async () => {
    const contents = {
      'setup.exe': executable,
      'photo.jpg': executable,
      'notes.txt': executable,
      'program.elf': padded('\x7fELF\x02\x01\x01'),
      'program.macho': padded(hex('cffaedfe07000001')),
      'run.sh': '#!/bin/sh\nrm -rf /\n',
      'run.txt': '#!/bin/sh\nrm -rf /\n',
      'page.html': '<!doctype html><script>alert(1)</script>',
      'page.jpg': '<!doctype html><script>alert(1)</script>',
      'drawing.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'drawing.png': '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
      'scan.tiff': await picture(4, 4).tiff().toBuffer(),
      'archive.7z': padded(hex('377abcaf271c0004')),
      'archive.rar': padded(hex('526172211a0701 00')),
      'archive.gz': padded(hex('1f8b0800')),
      'installer.msi': compound(['!SummaryInformation', 'Property']),
      'installer.doc': compound(['Property'], { within: 'WordDocument' }),
      'text without an extension': 'Привет',
      'program.log': 'Привет',
      'ДОС.txt': Buffer.from([0x8f, 0xe0, 0xa8, 0xa2, 0xa5, 0xe2]),
      'data.csv': Buffer.from('a;b\n\0;1\n'),
      'long.txt': Buffer.alloc(50_000_001, 'a'),
    };
    expect(await outcomes(contents)).toEqual(all(contents, 'TYPE_NOT_ALLOWED'));
  });

  test('programs and macros packed as archives and documents are refused', async () => {
    const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml';
    const contents = {
      'program.jar': zip([{ name: 'META-INF/MANIFEST.MF' }, { name: 'Main.class' }]),
      'program.zip': zip([{ name: 'AndroidManifest.xml' }, { name: 'classes.dex' }]),
      'book.epub': zip([{ name: 'mimetype', content: 'application/epub+zip', method: 0 }]),
      'macros.docm': officeDocument('application/vnd.ms-word.document.macroEnabled.main+xml'),
      'renamed.docx': officeDocument(
        `${word}"/><Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject`,
      ),
      'macros.docx': officeDocument('wordprocessingml.document', { name: 'word/vbaProject.bin', content: 'x' }),
      'two.docx': officeDocument(
        `${word}"/><Override ContentType="${word.replace('wordprocessingml.document', 'spreadsheetml.sheet')}`,
      ),
      'template.docx': officeDocument('wordprocessingml.template'),
      'macros.doc': compound(['WordDocument', 'Macros']),
      'macros.xls': compound(['_VBA_PROJECT_CUR', 'Workbook']),
    };
    expect(await outcomes(contents)).toEqual(all(contents, 'TYPE_NOT_ALLOWED'));
  });

  test('a name must not promise another type than the content is', async () => {
    const png = await picture(4, 4).png().toBuffer();
    const contents = {
      'picture.pdf': png,
      'picture.jpg': png,
      'picture.exe ': png,
      'picture.jp\0g': png,
      'letter.zip': officeDocument('wordprocessingml.document'),
      'letter.xlsx': officeDocument('wordprocessingml.document'),
      'archive.docx': zip([{ name: 'a.txt' }]),
      'letter.doc': '{\\rtf1\\ansi}',
      'letter.txt': '{\\rtf1\\ansi}',
    };
    expect(await outcomes(contents)).toEqual(all(contents, 'CONTENT_MISMATCH'));
  });

  test('markup that is called text is plain text', async () => {
    expect(await outcome('page.txt', '<script>alert(1)</script>')).toMatchObject({ mediaType: 'text/plain' });
    expect(await outcome('page.txt', '<?xml version="1.0"?><svg/>')).toMatchObject({ mediaType: 'text/plain' });
    expect(await outcome('page.csv', '<html>;<b>\n')).toMatchObject({ mediaType: 'text/csv' });
  });

  test('a file that is two is what it begins as', async () => {
    const archive = zip([{ name: 'META-INF/MANIFEST.MF' }]);
    expect(await outcome('a.jpg', Buffer.concat([await photo(8, 8), archive]))).toMatchObject({
      mediaType: 'image/jpeg',
    });
    const starts = [executable, hex('efbbbf'), hex('494433 0400 00 00000000'), Buffer.from('PK\x07\x08')];
    for (const start of starts)
      expect(await outcome('a.zip', Buffer.concat([start, zip([{ name: 'a' }])]))).toBe('TYPE_NOT_ALLOWED');
  });

  test('an empty file is refused as such', async () => {
    expect(await outcome('Пусто.jpg', '')).toBe('EMPTY');
  });
});

describe('archives', () => {
  test('bombs are refused by what they declare', async () => {
    const many = Array.from({ length: 10_001 }, (_, index) => ({ name: `${index}` }));
    const zeros = Buffer.alloc(11_000_000);
    const shared = { name: '0', content: Buffer.alloc(200_000) };
    const contents = {
      'many.zip': zip(many),
      'large.zip': zip([{ name: 'a', content: randomBytes(5_100_000), declaredBytes: 500_000_001 }]),
      'dense.zip': zip([{ name: 'a', content: zeros }]),
      'dense.docx': officeDocument('wordprocessingml.document', { name: 'media/a.bmp', content: zeros }),
      'overlapping.zip': zip([shared, ...many.slice(1, 40).map(({ name }) => ({ name, sameAs: 0 }))]),
    };
    expect(await outcomes(contents)).toEqual(all(contents, 'ARCHIVE_TOO_LARGE'));
    expect(await outcome('as.zip', zip(many.slice(1)))).toMatchObject({ mediaType: 'application/zip' });
    expect(await outcome('small.zip', zip([{ name: 'a.txt', content: Buffer.alloc(9_999_999, 'a') }]))).toMatchObject({
      mediaType: 'application/zip',
    });
  });

  test('what lies about its sizes, is damaged or leads out of its folder is unreadable', async () => {
    const good = zip([{ name: 'a', content: 'Домашнее задание, стр. 5'.repeat(99) }]);
    const lie = (content: Buffer) => zip([{ name: 'a', content, declaredBytes: 10 }]);
    expect(await reason('a.zip', lie(Buffer.alloc(50_000_000)))).toContain('too many bytes in the stream');
    expect(await reason('a.zip', lie(Buffer.alloc(9)))).toContain('not enough bytes in the stream');
    expect(await reason('a.zip', good.subarray(0, -10))).toContain(
      'End of central directory record signature not found',
    );
    const damaged = Buffer.concat([good.subarray(0, 35), Buffer.alloc(20, 255), good.subarray(55)]);
    expect(await reason('a.zip', damaged)).toContain('Z_DATA_ERROR');
    expect(await reason('a.zip', zip([{ name: '../../etc/passwd', content: 'x' }]))).toContain('invalid relative path');
  });

  test('what has a password cannot be looked at', async () => {
    const secret = { name: 'a', content: Buffer.alloc(20), encrypted: true, method: 14 };
    expect(await outcome('a.zip', zip([secret]))).toBe('UNREADABLE');
    expect(await outcome('a.docx', officeDocument('wordprocessingml.document', secret))).toBe('UNREADABLE');
    expect(await outcome('a.odt', openDocument('text', secret))).toBe('UNREADABLE');
    expect(await outcome('a.docx', compound(['EncryptionInfo', 'EncryptedPackage']))).toBe('UNREADABLE');
  });

  test('an archive without entries, with a comment, with a folder and what a Mac puts beside it, is an archive', async () => {
    expect(await outcome('a.zip', zip([], 'nothing'))).toMatchObject({ mediaType: 'application/zip' });
    const content = await photo(40, 30);
    const letter = officeDocument('wordprocessingml.document');
    const packed = [
      { name: 'Фото/' },
      { name: 'Фото/IMG 1.JPG', content },
      { name: '__MACOSX/Фото/._IMG 1.JPG', content: Buffer.concat([hex('00051607'), Buffer.alloc(100)]) },
      { name: 'Фото/.DS_Store', content: Buffer.concat([hex('0000000142756431'), Buffer.alloc(100)]) },
      { name: 'letter.docx', content: letter },
      { name: 'more.zip', content: zip([{ name: 'a.zip', content: zip([{ name: 'a.txt', content: 'a' }]) }]) },
    ];
    expect(await outcome('a.zip', zip(packed))).toMatchObject({ mediaType: 'application/zip' });
  });

  test('what is not taken alone is not taken in an archive either, however it is called and however deep it lies', async () => {
    const script = 'WScript.Shell';
    const jar = zip([{ name: 'META-INF/MANIFEST.MF' }]);
    const macros = officeDocument('wordprocessingml.document', { name: 'word/vbaProject.bin', content: 'x' });
    const entries = {
      program: { name: 'setup.exe', content: executable },
      'program without a name': { name: 'setup', content: executable },
      'program beside': { name: '__MACOSX/setup', content: executable },
      'second extension': { name: 'photo.jpg.exe', content: script },
      'from right to left': { name: 'photo\u202etxt.exe.txt', content: script },
      shortcut: { name: 'Приказ.lnk', content: script },
      'script 1': { name: 'a/b/run.js', content: script },
      'script 2': { name: 'run.hta', content: script },
      'script 3': { name: 'run.bat', content: '' },
      page: { name: 'index.html', content: '<script>' },
      jar: { name: 'inner.jar', content: jar },
      'jar as an archive': { name: 'inner.zip', content: jar },
      macros: { name: 'letter.docx', content: macros },
      deeper: {
        name: 'a.zip',
        content: zip([{ name: 'b.zip', content: zip([{ name: 'c.exe', content: executable }]) }]),
      },
    };
    const contents = Object.fromEntries(Object.entries(entries).map(([name, entry]) => [`${name}.zip`, zip([entry])]));
    expect(await outcomes(contents)).toEqual(all(contents, 'TYPE_NOT_ALLOWED'));
    const disguised = { 'a.zip': zip([{ name: 'photo.jpg', content: await picture(4, 4).png().toBuffer() }]) };
    expect(await outcomes(disguised)).toEqual(all(disguised, 'CONTENT_MISMATCH'));
    let deep = zip([{ name: 'a.txt', content: 'a' }]);
    for (let depth = 0; depth < 3; depth++) deep = zip([{ name: 'a.zip', content: deep }]);
    expect(await outcome('a.zip', deep)).toBe('ARCHIVE_TOO_LARGE');
  });

  test('a document that carries a program, a package or a document with macros is refused', async () => {
    const packed = compound(['\u0001Ole10Native', 'CompObj']);
    const macros = officeDocument('spreadsheetml.sheet', { name: 'xl/vbaProject.bin', content: 'x' });
    const kind = 'wordprocessingml.document';
    const contents = {
      'program.docx': officeDocument(kind, { name: 'word/media/image1.png', content: executable }),
      'package.docx': officeDocument(kind, { name: 'word/embeddings/oleObject1.bin', content: packed }),
      'control.docx': officeDocument(kind, { name: 'word/activeX/activeX1.bin', content: 'x' }),
      'macros.docx': officeDocument(kind, { name: 'word/embeddings/a.xlsx', content: macros }),
      'macros.odt': openDocument('text', { name: 'Basic/Standard/Module1.xml', content: '<x/>' }),
      'package.doc': compound(['WordDocument', '\u0001Ole10Native']),
    };
    expect(await outcomes(contents)).toEqual(all(contents, 'TYPE_NOT_ALLOWED'));
    const sheet = { name: 'word/embeddings/a.xlsx', content: officeDocument('spreadsheetml.sheet') };
    expect(await outcome('sheet.docx', officeDocument(kind, sheet))).toMatchObject({ width: null });
  });

  test('an old document is known wherever its directory lies, and unreadable when that is damaged', async () => {
    const document = ['WordDocument', '1Table', 'ObjectPool', 'SummaryInformation', 'CompObj'];
    for (const layout of [{ sectorBytes: 4096 }, { directoryAt: 15_000 }] as const)
      expect(await outcome('a.doc', compound(document, layout))).toMatchObject({ mediaType: 'application/msword' });
    const circle = compound(document);
    circle.writeUInt32LE(3, 512 * 2 + 3 * 4);
    expect(await reason('a.doc', circle)).toContain('a chain that is too long');
    expect(await reason('a.doc', compound(document).subarray(0, -512))).toContain('shorter than it says');
  });
});

describe('pictures', () => {
  test('a photo gets a small preview that stands upright and tells nothing of where it was taken', async () => {
    const file = await uploads.add('IMG_0001.JPG', await photo(4032, 3024));
    expect(await inspector.inspect(file)).toEqual({
      mediaType: 'image/jpeg',
      width: 3024,
      height: 4032,
      hasPreview: true,
    });
    const preview = await sharp(file.previewPath).metadata();
    expect(preview).toMatchObject({ format: 'webp', width: 600, height: 800 });
    expect(preview).not.toHaveProperty('exif');
    expect((await sharp(file.path).metadata()).exif?.includes('Phone')).toBe(false);
  });

  test('a small picture is not enlarged, and keeps what is transparent', async () => {
    const file = await uploads.add('a.png', await picture(40, 30).png().toBuffer());
    expect(await inspector.inspect(file)).toMatchObject({ width: 40, height: 30, hasPreview: true });
    expect(await sharp(file.previewPath).metadata()).toMatchObject({ width: 40, height: 30, hasAlpha: true });
  });

  test('of an animation the first frame is shown', async () => {
    const frames = await Promise.all(
      [1, 2, 3].map((n) =>
        picture(20, 10)
          .tint({ r: n * 80, g: 0, b: 0 })
          .png()
          .toBuffer(),
      ),
    );
    for (const [name, content] of [
      [
        'a.gif',
        await sharp(frames, { join: { animated: true } })
          .gif()
          .toBuffer(),
      ],
      [
        'a.webp',
        await sharp(frames, { join: { animated: true } })
          .webp()
          .toBuffer(),
      ],
    ] as const) {
      expect((await sharp(content).metadata()).pages).toBe(3);
      const file = await uploads.add(name, content);
      expect(await inspector.inspect(file)).toMatchObject({ width: 20, height: 10, hasPreview: true });
      const preview = await sharp(file.previewPath).metadata();
      expect(preview).toMatchObject({ width: 20, height: 10 });
      expect(preview.pages ?? 1).toBe(1);
    }
  });

  test('more than 100 megapixels are refused unseen, no more are not', async () => {
    const contents = {
      'bomb.png': blackPng(30_000, 30_000),
      'wide.png': blackPng(50_001, 2_000),
      'large.heic': heic(20_000, 20_000),
    };
    expect(await outcomes(contents)).toEqual(all(contents, 'IMAGE_TOO_LARGE'));
    expect(await outcome('limit.png', blackPng(10_000, 10_000))).toMatchObject({ width: 10_000, hasPreview: true });
  });

  test('what cannot be decoded is unreadable, and leaves no preview', async () => {
    const image = picture(400, 300);
    const whole = {
      'a.jpg': await photo(400, 300),
      'a.png': await image.clone().png().toBuffer(),
      'a.webp': await image.clone().webp({ lossless: true }).toBuffer(),
      'a.gif': await image.clone().gif().toBuffer(),
      'a.avif': await image.clone().avif().toBuffer(),
    };
    for (const [name, content] of Object.entries(whole)) {
      const file = await uploads.add(name, content.subarray(0, content.length * 0.7));
      await expect(inspector.inspect(file)).rejects.toMatchObject({ refusal: 'UNREADABLE' });
      await expect(access(file.previewPath)).rejects.toThrow('ENOENT');
      expect(await outcome(name, content)).toMatchObject({ hasPreview: true });
    }
  });

  test('a HEIC is taken without a preview where nothing here can decode it', async () => {
    const file = await uploads.add('IMG_0002.HEIC', heic(4032, 3024));
    expect(await inspector.inspect(file)).toEqual({
      mediaType: 'image/heic',
      width: 4032,
      height: 3024,
      hasPreview: false,
    });
    await expect(access(file.previewPath)).rejects.toThrow('ENOENT');
  });

  test('a picture that takes more memory than there is for it is unreadable', async () => {
    const interlaced = blackPng(10_000, 10_000, { interlaced: true, channels: 4, depth: 16 });
    expect(await reason('a.png', interlaced)).toContain('bytes of memory');
  });
});
