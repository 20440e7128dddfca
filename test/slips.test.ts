import { decodeQR } from 'qr/decode.js';
import { expect, test } from 'vitest';
import { printSlips, type Sheet } from '../src/documents/slips.ts';

const code = 'HipLvsYaZOPMCobSkokDkziGzbHQ_aKvN93bEMHg80A';
const url = `https://school.example.ru/i/${code}`;
const until = new Date('2026-09-30T20:59:00Z');
const sheet: Sheet = {
  locale: 'ru',
  timeZone: 'Europe/Moscow',
  organizationName: 'Школа № 5',
  slips: [
    {
      title: 'Иванова Мария, Иванов Пётр',
      lines: ['1 «А»', '3 «Б»'],
      codes: [
        { label: '•••12-34', code, url, until },
        { label: '•••56-78', code: code.toLowerCase(), url: null, until },
      ],
    },
  ],
};

/** What a phone reads from the QR codes of a page. */
function scanned(html: string): string[] {
  const codes = html.matchAll(/<svg viewBox="0 -\.5 (\d+) \d+"[^>]*><path stroke="#000" d="([^"]+)"/g);
  return [...codes].map(([, size = '', strokes = '']) => {
    const scale = 4;
    const width = Number(size) * scale;
    const data = new Uint8Array(width * width * 4).fill(255);
    for (const [, x, y, length] of strokes.matchAll(/M(\d+) (\d+)h(\d+)/g))
      for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row++)
        for (let column = Number(x) * scale; column < (Number(x) + Number(length)) * scale; column++)
          data.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3);
    return decodeQR({ width, height: width, data });
  });
}

test('a family finds its children, its groups and each guardian’s code on its slip', () => {
  const html = printSlips(sheet);
  for (const text of ['Школа № 5', 'Иванова Мария, Иванов Пётр', '1 «А»', '3 «Б»', '•••12-34', `<code>${code}</code>`])
    expect(html).toContain(text);
});

test('a phone reads the address, or the code itself when there is none', () => {
  expect(scanned(printSlips(sheet))).toEqual([url, code.toLowerCase()]);
});

test('the last moment is written in the language and the time zone of the school', () => {
  expect(printSlips(sheet)).toContain('Действует до 30 сентября 2026 г. в 23:59.');
  const english = printSlips({ ...sheet, locale: 'en', timeZone: 'Asia/Vladivostok' });
  expect(english).toContain('<html lang="en">');
  expect(english).toContain('Scan or enter the code');
  expect(english).toMatch(/Valid until October 1, 2026 at 6:59\sAM\. Do not pass/);
});

test('names are shown as they are written, never run as markup', () => {
  const evil = `<script>alert("1")</script> & 'x'`;
  const html = printSlips({
    ...sheet,
    organizationName: evil,
    slips: [{ title: evil, lines: [evil], codes: [{ label: evil, code: evil, url: evil, until }] }],
  });
  expect(html).not.toContain('<script');
  expect(html.match(/&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt; &amp; &#39;x&#39;/g)?.length).toBe(6);
  expect(scanned(html)).toEqual([evil]);
});

test('a page needs nothing from elsewhere and runs nothing', () => {
  const html = printSlips(sheet);
  expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(html).not.toMatch(/<script|<link|<img|<iframe|\s(?:src|href|on\w+)=|url\(|@import/);
});

test('the slips of a large school are a few megabytes', () => {
  const slips = Array.from({ length: 900 }, (_, index) => {
    const each = `${code.slice(0, -3)}${String(index).padStart(3, '0')}`;
    const url = `https://school.example.ru/i/${each}`;
    return { title: 'Иванова Мария', lines: ['1 «А»'], codes: [{ label: '•••12-34', code: each, url, until }] };
  });
  const bytes = Buffer.byteLength(printSlips({ ...sheet, slips }));
  expect(bytes / slips.length).toBeLessThan(6_000);
});
