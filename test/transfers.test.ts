import { createHash, randomBytes } from 'node:crypto';
import { existsSync, globSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { crc32, deflateRawSync } from 'node:zlib';
import { SignJWT } from 'jose';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Secret } from '../src/secrets.ts';
import { receive } from '../src/transfers/reception.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, TestClient } from './support/client.ts';
import { testSecret } from './support/postgres.ts';
import { inDatabase } from './support/sql.ts';
import { anyMoment, eventually } from './support/waiting.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp({ config: { maxUploadBytes: 8 * 1024 * 1024 } });
});
afterAll(() => app[Symbol.asyncDispose]());

const rowIdOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1] ?? '';
const text = Buffer.from('Bring a warm hat tomorrow.\n');

const announce = (person: TestClient, name: string, size: number): Promise<Json> =>
  person.does('CreateUpload', { input: { name, size } });
const complete = (person: TestClient, { file }: Json): Promise<Json> =>
  person.does('CompleteUpload', { fileId: file.id });
const linkOf = async (person: TestClient, id: string, variant: 'url' | 'preview' = 'url'): Promise<string> =>
  (await person.run('File', { id })).node[variant];

async function refusal(response: Response): Promise<unknown[]> {
  const { errors } = await response.json();
  return [response.status, errors[0].extensions.code];
}

/** Sends the beginning of a request by hand, as no client would that keeps to the rules. */
function bySocket(head: string, beginning: string | Buffer = '', url = app.url) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let heard = '';
  socket.setEncoding('latin1').on('data', (data) => {
    heard += data;
  });
  socket.on('error', () => {}); // its close tells
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(`${head}\r\nHost: x\r\n\r\n`);
  socket.write(beginning);
  return { socket, closed, heard: () => heard };
}

const putHead = (path: string, token: string | null, ...more: string[]) =>
  [`PUT ${path} HTTP/1.1`, `Authorization: Bearer ${token}`, ...more].join('\r\n');

describe('what is sent', () => {
  test('is there byte by byte for who fetches it, with its type by content and its name', async () => {
    const { world } = app;
    const person = await world.person();
    const upload = await announce(person, 'Памятка «осень».txt', text.length);
    expect(upload).toMatchObject({ method: 'PUT', file: { state: 'PENDING', mediaType: null, size: text.length } });
    expect(await complete(person, upload)).toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
    const sent = await person.put(upload.uploadPath, text);
    expect([sent.status, await sent.text()]).toEqual([204, '']);
    expect(await complete(person, upload)).toMatchObject({ state: 'READY', mediaType: 'text/plain' });
    expect(await complete(person, upload)).toMatchObject({ state: 'READY' });

    const link = await linkOf(person, upload.file.id);
    const response = await person.fetch(link);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(text);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/plain',
      'content-length': String(text.length),
      'cache-control': 'private, no-store',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-site',
      'content-disposition': expect.stringMatching(/^attachment; .*filename\*=UTF-8''%D0%9F/),
      'content-security-policy': expect.stringMatching(/^default-src 'none'.*sandbox$/),
    });
  });

  test('of an image has a preview, and both are shown in the browser', async () => {
    const person = await app.world.person();
    const bytes = await sharp({ create: { width: 1600, height: 400, channels: 3, background: 'green' } })
      .jpeg()
      .toBuffer();
    const file = await app.world.upload(person, { name: 'Tree.JPG', bytes: Buffer.from(bytes) });
    expect(file).toMatchObject({ mediaType: 'image/jpeg', width: 1600, height: 400, size: bytes.length });
    const original = await person.fetch(await linkOf(person, file.id));
    expect(original.headers.get('content-disposition')).toMatch(/^inline/);
    expect((await original.arrayBuffer()).byteLength).toBe(bytes.length);
    const preview = await person.fetch(await linkOf(person, file.id, 'preview'));
    expect(preview.headers.get('content-type')).toBe('image/webp');
    expect(preview.headers.get('content-disposition')).toBe('inline; filename=Tree.webp');
    expect(await sharp(await preview.arrayBuffer()).metadata()).toMatchObject({
      format: 'webp',
      width: 800,
      height: 200,
    });
    const notes = await app.world.upload(person);
    expect(await linkOf(person, notes.id, 'preview')).toBeNull();
  });

  test('is refused when it is not what it is called, a program or damaged, and stays refused', async () => {
    const person = await app.world.person();
    const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const program = Buffer.concat([Buffer.from('MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff', 'latin1'), Buffer.alloc(500)]);
    const cases: [string, Buffer, string][] = [
      ['holiday.jpg', program, 'TYPE_NOT_ALLOWED'],
      ['order.pdf', png, 'CONTENT_MISMATCH'],
      ['page.html', Buffer.from('<!doctype html><script>alert(1)</script>'), 'TYPE_NOT_ALLOWED'],
      ['drawing.png', png.subarray(0, png.length - 20), 'UNREADABLE'],
    ];
    for (const [name, bytes, code] of cases) {
      const upload = await announce(person, name, bytes.length);
      const response = await person.put(upload.uploadPath, new Uint8Array(bytes), { 'accept-language': 'en' });
      expect(await refusal(response), name).toEqual([422, code]);
      expect(await complete(person, upload)).toMatchObject({ code: 'FILE_REJECTED', fileRefusal: code });
      expect((await person.run('File', { id: upload.file.id })).node).toMatchObject({
        state: 'REJECTED',
        refusal: code,
        url: null,
      });
      expect((await person.put(upload.uploadPath, new Uint8Array(bytes))).status).toBe(404);
    }
  });

  test('as an archive that would fill the disk is refused', async () => {
    const person = await app.world.person();
    const bomb = zipBomb();
    const upload = await announce(person, 'homework.zip', bomb.length);
    expect(await refusal(await person.put(upload.uploadPath, bomb))).toEqual([422, 'ARCHIVE_TOO_LARGE']);
  });

  test('says why in the person’s language', async () => {
    const person = await app.world.person();
    const messages = [];
    for (const locale of ['ru', 'en']) {
      await person.does('UpdateProfile', { input: { locale } });
      const upload = await announce(person, 'a.pdf', text.length);
      const response = await person.put(upload.uploadPath, text);
      messages.push((await response.json()).errors[0].message);
    }
    expect(messages).toEqual([expect.stringMatching(/^Файл|^Содержимое/), expect.stringMatching(/^The |^Files /)]);
  });
});

describe('a file that does not come as announced', () => {
  test('is not read beyond its size, whether or not its length is told', async () => {
    const person = await app.world.person();
    const upload = await announce(person, 'a.txt', 10);
    expect(await refusal(await person.put(upload.uploadPath, text))).toEqual([413, 'UPLOAD_TOO_LARGE']);
    // Who listens only after having sent much hears it all the same.
    const deaf = bySocket(putHead(upload.uploadPath, person.token, 'Content-Length: 9000000'), Buffer.alloc(1_000_000));
    deaf.socket.pause();
    await expect.poll(() => deaf.socket.writableLength).toBe(0);
    deaf.socket.resume();
    await deaf.closed;
    expect(deaf.heard()).toContain('UPLOAD_TOO_LARGE');
    // Without a length, and without an end.
    const endless = bySocket(putHead(upload.uploadPath, person.token, 'Transfer-Encoding: chunked'));
    const flood = setInterval(() => endless.socket.write(`8000\r\n${'x'.repeat(0x8000)}\r\n`), 5);
    await endless.closed;
    clearInterval(flood);
    expect(endless.heard()).toMatch(/^HTTP\/1.1 413 .*UPLOAD_TOO_LARGE/s);
    expect(endless.socket.bytesWritten).toBeLessThan(50_000_000);
    expect(await complete(person, upload)).toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
  });

  test('is not taken when it is shorter, or only a part, or packed', async () => {
    const person = await app.world.person();
    const upload = await announce(person, 'a.txt', text.length);
    expect(await refusal(await person.put(upload.uploadPath, text.subarray(1)))).toEqual([400, 'UPLOAD_TOO_SHORT']);
    const chunked = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(text.subarray(1)));
        controller.close();
      },
    });
    expect(await refusal(await person.put(upload.uploadPath, chunked))).toEqual([400, 'UPLOAD_TOO_SHORT']);
    for (const [name, value] of [
      ['content-range', 'bytes 0-9/26'],
      ['content-encoding', 'gzip'],
    ] as const) {
      const answer = await person.put(upload.uploadPath, text, { [name]: value });
      expect(await refusal(answer)).toEqual([400, 'UPLOAD_IN_PARTS']);
    }
    expect((await person.put(upload.uploadPath, text)).status).toBe(204);
  });

  test('because the connection broke may be sent again, and nothing of the first is left', async () => {
    const person = await app.world.person();
    const bytes = Buffer.from('я'.repeat(500_000));
    const upload = await announce(person, 'long.txt', bytes.length);
    const broken = bySocket(
      putHead(upload.uploadPath, person.token, `Content-Length: ${bytes.length}`),
      bytes.subarray(0, 300_000),
    );
    await expect.poll(comeSoFar).not.toEqual([]);
    broken.socket.destroy();
    await broken.closed;
    expect(await complete(person, upload)).toMatchObject({ code: 'UPLOAD_INCOMPLETE' });
    expect((await person.put(upload.uploadPath, bytes)).status).toBe(204);
    await complete(person, upload);
    const fetched = await person.fetch(await linkOf(person, upload.file.id));
    expect(Buffer.from(await fetched.arrayBuffer()).equals(bytes)).toBe(true);
  });
});

describe('an upload', () => {
  test('is for who announced it: others find nothing there, and who is not signed in is told to', async () => {
    const [person, thief] = [await app.world.person(), await app.world.person()];
    const upload = await announce(person, 'a.txt', text.length);
    const anonymous = app.world.anonymous();
    expect(await refusal(await anonymous.put(upload.uploadPath, text))).toEqual([401, 'UNAUTHENTICATED']);
    for (const path of [upload.uploadPath, `/uploads/${crypto.randomUUID()}`, '/uploads/..%2f', '/uploads/']) {
      expect(await refusal(await thief.put(path, text)), path).toEqual([404, 'NOT_FOUND']);
    }
    const foreign = { origin: 'https://stranger.example' };
    expect((await person.put(upload.uploadPath, text, foreign)).status).toBe(403);
    expect((await fetch(new URL(upload.uploadPath, app.url))).status).toBe(405);
    expect((await person.put(upload.uploadPath, text)).status).toBe(204);
    await complete(person, upload);
    expect(await refusal(await person.put(upload.uploadPath, text))).toEqual([404, 'NOT_FOUND']);
  });

  test('by a browser goes by its cookie', async () => {
    const person = await app.world.person();
    const upload = await announce(person, 'a.txt', text.length);
    const cookie = { cookie: `homeroom_session=${person.token}` };
    const anonymous = app.world.anonymous();
    const { origin } = new URL(app.url);
    expect((await anonymous.put(upload.uploadPath, text, { ...cookie, origin })).status).toBe(204);
  });

  test('that is repeated because its answer was lost succeeds, and other bytes do not replace the first', async () => {
    const person = await app.world.person();
    const upload = await announce(person, 'a.txt', text.length);
    for (let attempt = 0; attempt < 2; attempt++) expect((await person.put(upload.uploadPath, text)).status).toBe(204);
    const other = Buffer.from(text.toString().replace('warm', 'cold'));
    expect(await refusal(await person.put(upload.uploadPath, other))).toEqual([409, 'UPLOAD_CONFLICT']);
    await complete(person, upload);
    expect(await (await person.fetch(await linkOf(person, upload.file.id))).text()).toBe(text.toString());
  });

  test('of other bytes at the same instant: exactly one is kept, whole', async () => {
    const person = await app.world.person();
    for (let round = 0; round < 2; round++) {
      const contents = ['a', 'b', 'c'].map((letter) => Buffer.from(letter.repeat(200_000)));
      const upload = await announce(person, 'race.txt', 200_000);
      const answers = await Promise.all(contents.map((bytes) => person.put(upload.uploadPath, bytes)));
      const statuses = answers.map(({ status }) => status);
      expect(statuses.toSorted()).toEqual([204, 409, 409]);
      await complete(person, upload);
      const fetched = await person.fetch(await linkOf(person, upload.file.id));
      const kept = contents[statuses.indexOf(204)];
      expect(kept && Buffer.from(await fetched.arrayBuffer()).equals(kept)).toBe(true);
    }
  });

  test('whose first bytes are just being stored takes those again, and no others', async () => {
    const person = await app.world.person();
    const upload = await announce(person, 'a.txt', text.length);
    // As a process leaves it that dies before it has stored them.
    const sha256 = createHash('sha256').update(text).digest();
    await inDatabase(app, (sql) => sql`update files set sha256 = ${sha256} where id = ${rowIdOf(upload.file.id)}`);
    const other = Buffer.from(text.toString().replace('warm', 'cold'));
    expect(await refusal(await person.put(upload.uploadPath, other))).toEqual([409, 'UPLOAD_CONFLICT']);
    const program = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(text.length - 4)]);
    expect(await refusal(await person.put(upload.uploadPath, program))).toEqual([409, 'UPLOAD_CONFLICT']);
    expect((await person.put(upload.uploadPath, text)).status).toBe(204);
    expect(await complete(person, upload)).toMatchObject({ state: 'READY' });
  });

  test('that is discarded while it comes leaves nothing', async () => {
    const person = await app.world.person();
    const upload = await announce(person, 'a.txt', text.length);
    const slow = bySocket(
      putHead(upload.uploadPath, person.token, `Content-Length: ${text.length}`),
      text.subarray(0, 5),
    );
    await expect.poll(comeSoFar).toEqual([5]);
    expect(await person.does('DeleteUpload', { fileId: upload.file.id })).toMatchObject({ state: 'DELETED' });
    slow.socket.write(text.subarray(5));
    await expect.poll(() => slow.heard()).toContain('NOT_FOUND');
    slow.socket.destroy();
    expect(await complete(person, upload)).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('is one of four at most for one person at once', async () => {
    const { administrator: person } = await app.world.school();
    const opened = [];
    for (let index = 0; index < 4; index++) {
      const { uploadPath } = await announce(person, 'a.txt', text.length);
      opened.push(bySocket(putHead(uploadPath, person.token, `Content-Length: ${text.length}`), text.subarray(0, 5)));
    }
    const { uploadPath } = await announce(person, 'a.txt', text.length);
    await expect
      .poll(async () => {
        const response = await person.put(uploadPath, text.subarray(0));
        return [response.status, response.headers.get('retry-after')];
      })
      .toEqual([429, '5']);
    for (const { socket } of opened) socket.destroy();
    await expect.poll(async () => (await person.put(uploadPath, text)).status).toBe(204);
  });

  test('of thirty people at once: each has their own', async () => {
    const people = await Promise.all(Array.from({ length: 30 }, () => app.world.person()));
    const bytes = people.map(() => Buffer.from(randomBytes(300_000).toString('hex')));
    const files = await Promise.all(
      people.map((person, index) =>
        app.world.upload(person, { name: 'own.txt', bytes: Buffer.from(bytes[index] ?? '') }),
      ),
    );
    const fetched = await Promise.all(
      people.map(async (person, index) => {
        const response = await person.fetch(await linkOf(person, files[index].id));
        return Buffer.from(await response.arrayBuffer());
      }),
    );
    expect(fetched.map((got, index) => bytes[index]?.equals(got))).toEqual(people.map(() => true));
  });
});

describe('a link', () => {
  test('gives parts of the file, and by HEAD only what it is', async () => {
    const person = await app.world.person();
    const { id } = await app.world.upload(person, { name: 'a.txt', bytes: text });
    const link = await linkOf(person, id);
    const part = async (range: string) => {
      const response = await person.fetch(link, { headers: { range } });
      return [response.status, response.headers.get('content-range'), await response.text()];
    };
    const { length } = text;
    expect(await part('bytes=0-4')).toEqual([206, `bytes 0-4/${length}`, 'Bring']);
    expect(await part('bytes=6-')).toEqual([206, `bytes 6-${length - 1}/${length}`, text.toString().slice(6)]);
    expect(await part('bytes=-10')).toEqual([
      206,
      `bytes ${length - 10}-${length - 1}/${length}`,
      text.toString().slice(-10),
    ]);
    expect(await part('bytes=0-9999')).toEqual([206, `bytes 0-${length - 1}/${length}`, text.toString()]);
    expect((await part(`bytes=${length}-`)).slice(0, 2)).toEqual([416, `bytes */${length}`]);
    for (const whole of ['bytes=0-1,4-5', 'lines=1-2', 'bytes=x']) {
      expect(await part(whole), whole).toEqual([200, null, text.toString()]);
    }
    const head = await person.fetch(link, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, String(length), '']);
    expect((await person.fetch(link, { method: 'POST' })).status).toBe(405);
  });

  test('that is changed, old, or made by nobody’s key leads nowhere', async () => {
    const person = await app.world.person();
    const { id } = await app.world.upload(person);
    const link = await linkOf(person, id);
    const key = new Secret(testSecret).keyFor('links to files');
    const [session] = await inDatabase(
      app,
      (sql) => sql`select s.id from sessions s join users u on u.id = s.user_id where u.phone = ${person.phone}`,
    );
    const made = (secret: Uint8Array, expires: string, alg = 'HS256') =>
      new SignJWT({ sid: session?.id, variant: 'ORIGINAL' })
        .setProtectedHeader({ alg })
        .setSubject(rowIdOf(id))
        .setExpirationTime(expires)
        .sign(secret);
    expect((await person.fetch(`/files/${await made(key, '1 minute')}`)).status).toBe(200);
    const [head = '', payload = '', signature = ''] = link.slice('/files/'.length).split('.');
    const other = { ...JSON.parse(String(Buffer.from(payload, 'base64url'))), variant: 'PREVIEW' };
    const dead = [
      await made(key, '1 second ago'),
      await made(randomBytes(32), '1 minute'),
      await made(Buffer.concat([key, key]), '1 minute', 'HS512'),
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
      `${head}.${Buffer.from(JSON.stringify(other)).toString('base64url')}.${signature}`,
      `${head}.${payload}`,
      'x'.repeat(5_000),
      '',
    ];
    for (const token of dead) expect((await person.fetch(`/files/${token}`)).status, token.slice(0, 80)).toBe(404);
    const { exp } = JSON.parse(String(Buffer.from(payload, 'base64url')));
    expect(exp - Date.now() / 1000).toBeLessThanOrEqual(300);
  });

  test('works without any header, and dies with the session it was made for', async () => {
    const person = await app.world.person('Owner');
    const sameElsewhere = await app.world.person(undefined, person.phone);
    const { id } = await app.world.upload(person);
    const [here, there] = [await linkOf(person, id), await linkOf(sameElsewhere, id)];
    expect((await app.world.anonymous().fetch(here)).status).toBe(200);
    await sameElsewhere.run('SignOut');
    expect((await person.fetch(there)).status).toBe(404);
    expect((await person.fetch(here)).status).toBe(200);
    await inDatabase(
      app,
      (sql) =>
        sql`update sessions set expires_at = now() where user_id = (select id from users where phone = ${person.phone})`,
    );
    expect(await refusal(await person.fetch(here))).toEqual([404, 'NOT_FOUND']);
  });

  test('to a file that was discarded is dead', async () => {
    const person = await app.world.person();
    const { id } = await app.world.upload(person);
    const link = await linkOf(person, id);
    await person.does('DeleteUpload', { fileId: id });
    expect((await person.fetch(link)).status).toBe(404);
  });

  test.runIf(existsSync('/proc/self/fd'))('that somebody stops reading frees what was held for them', async () => {
    const person = await app.world.person();
    const bytes = Buffer.from('x'.repeat(8 * 1024 * 1024));
    const { id } = await app.world.upload(person, { name: 'long.txt', bytes });
    for (let round = 0; round < 10; round++) {
      const controller = new AbortController();
      const response = await person.fetch(await linkOf(person, id), { signal: controller.signal });
      await response.body?.getReader().read();
      expect(openFiles()).toBeGreaterThan(0);
      controller.abort();
    }
    // Also of whoever is gone before it has begun.
    for (let round = 0; round < 60; round++) {
      const link = new URL(await linkOf(person, id), app.url);
      const { socket, closed } = bySocket(`GET ${link.pathname} HTTP/1.1`);
      await anyMoment(10);
      socket.destroy();
      await closed;
    }
    await expect.poll(() => openFiles()).toBe(0);
  });
});

test('a page of an allowed host may send and fetch, another host’s may not send', async () => {
  const origin = 'https://app.school.example';
  await using own = await startTestApp({ config: { allowedOrigins: [origin] } });
  const person = await own.world.person();
  const upload = await announce(person, 'a.txt', text.length);
  const asks = { origin, 'access-control-request-method': 'PUT' };
  const preflight = await person.fetch(upload.uploadPath, { method: 'OPTIONS', headers: asks });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-methods')).toBe('PUT');
  const sent = await person.put(upload.uploadPath, text, { origin });
  expect([sent.status, sent.headers.get('access-control-allow-origin')]).toEqual([204, origin]);
  await complete(person, upload);
  const fetched = await person.fetch(await linkOf(person, upload.file.id), { headers: { origin } });
  expect(fetched.headers.get('access-control-allow-origin')).toBe(origin);
  expect(fetched.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
  await fetched.arrayBuffer();
});

test('a second process serves what the first has taken, by the same links', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'homeroom-test-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const config = { storage: { kind: 'directory', directory } } as const;
  const first = stack.use(await startTestApp({ config }));
  const second = stack.use(await startTestApp({ config, databaseUrl: first.databaseUrl ?? '' }));
  const person = await first.world.person();
  const { id } = await first.world.upload(person, { name: 'a.txt', bytes: text });
  const response = await fetch(new URL(await linkOf(person, id), second.url));
  expect(await response.text()).toBe(text.toString());
});

describe('who makes the server wait', () => {
  const request = () =>
    Object.assign(new PassThrough(), { complete: false }) as unknown as IncomingMessage & PassThrough;
  const place = () => join(tmpdir(), `homeroom-test-${crypto.randomUUID()}`);

  test.each([
    ['sends nothing for half a minute', 1_000_000, 31_000, 0],
    ['sends a little all the time, for longer than so much takes', 100_000, 20_000, 4],
  ])('with a file and %s is given up', async (_how, size, pauseMs, pieces) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const [incoming, path, giveUp] = [request(), place(), vi.fn(() => incoming.end())];
    try {
      const received = receive(incoming, path, size, giveUp);
      received.catch(() => {});
      for (let piece = 0; piece < pieces; piece++) {
        expect(giveUp).not.toHaveBeenCalled();
        incoming.write('x');
        await eventually(() => expect(incoming.readableLength).toBe(0));
        await vi.advanceTimersByTimeAsync(pauseMs);
      }
      await vi.advanceTimersByTimeAsync(pauseMs);
      expect(giveUp).toHaveBeenCalledWith(expect.objectContaining({ status: 408 }));
      await expect(received).rejects.toMatchObject({ status: 400 });
    } finally {
      vi.useRealTimers();
      await rm(path, { force: true });
    }
  });

  test('with anything else is cut off after half a minute, while an upload goes on', async () => {
    await using own = await startTestApp();
    const person = await own.world.person();
    const upload = await announce(person, 'a.txt', text.length);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const slow = bySocket(
        'POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99',
        '{',
        own.url,
      );
      const upward = bySocket(
        putHead(upload.uploadPath, person.token, `Content-Length: ${text.length}`),
        text.subarray(0, 5),
        own.url,
      );
      await expect.poll(comeSoFar).toEqual([5]);
      await vi.advanceTimersByTimeAsync(20_000);
      expect([slow.heard(), upward.heard()]).toEqual(['', '']);
      upward.socket.write(text.subarray(5, 6));
      await expect.poll(comeSoFar).toEqual([6]);
      await vi.advanceTimersByTimeAsync(11_000);
      await slow.closed;
      expect(slow.heard()).toMatch(/^HTTP\/1.1 408/);
      upward.socket.write(text.subarray(6));
      vi.useRealTimers();
      await expect.poll(() => upward.heard()).toMatch(/^HTTP\/1.1 204/);
      upward.socket.destroy();
    } finally {
      vi.useRealTimers();
    }
  });
});

/** How much has come of each file that is coming in. */
const comeSoFar = (): number[] =>
  globSync(join(tmpdir(), `homeroom-uploads-${process.pid}-*`, '*', 'file')).map((path) => statSync(path).size);

/** How many stored files this process, the server's too, holds open. */
const openFiles = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('homeroom-files-');
    } catch {
      return false; // closed meanwhile
    }
  }).length;

/** A small archive of one file of a gigabyte of zeroes. */
function zipBomb(): Buffer<ArrayBuffer> {
  const size = 1024 * 1024 * 1024;
  const zeroes = Buffer.alloc(size);
  const packed = deflateRawSync(zeroes, { level: 9 });
  const name = Buffer.from('zeroes.txt');
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(crc32(zeroes), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(size, 18);
  fields.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, name, packed]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\0', 'latin1'), fields, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
