import { array, assert, constant, constantFrom, oneof, property, string, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';
import { type Column, maxRows, readTable, writeTable } from '../src/documents/csv.ts';

const columns = [
  { key: 'name', titles: ['Фамилия ребёнка', 'Family name'], required: true },
  { key: 'phone', titles: ['Телефон', 'Phone'], required: true },
  { key: 'note', titles: ['Примечание', 'Note'], required: false },
] as const satisfies readonly Column[];

const read = (text: string) => readTable(Buffer.from(text), columns);
const namesIn = (text: string) => read(text).rows.map(({ values }) => values.name);
const rowsIn = (text: string) => read(text).rows.map(({ row }) => row);
const saysOf = (text: string) => read(text).problems.map((problem) => problem.text);

/** The bytes of a text in an encoding that Node decodes only. */
function encoded(text: string, encoding: string): Uint8Array {
  const decoder = new TextDecoder(encoding);
  const bytes = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), byte]));
  return Uint8Array.from(text, (character) => bytes.get(character) ?? 0x3f);
}

const ivanovs = 'Фамилия ребёнка;Телефон\r\nИвановы;+79161234567\r\n';
const ivanovsRow = { row: 2, values: { name: 'Ивановы', phone: '+79161234567', note: null } };
const wrongEncoding = { rows: [], problemCount: 1, problems: [{ row: 1, column: null, text: 'CSV_ENCODING' }] };

test('a file from a Russian Excel is read: Windows-1251, semicolons, CRLF', () => {
  const hex = 'd4e0ece8ebe8ff20f0e5e1b8edeae03bd2e5ebe5f4eeed0d0a' + 'c8e2e0edeee2fb3b310d0a'; // the header, «Ивановы;1»
  const { rows, problems } = readTable(Buffer.from(hex, 'hex'), columns);
  expect(problems).toEqual([]);
  expect(rows).toEqual([{ row: 2, values: { name: 'Ивановы', phone: '1', note: null } }]);
  expect(readTable(encoded('Телефон;Family name\r\n№ 5;«Ёлка»\r\n', 'windows-1251'), columns).rows).toEqual([
    { row: 2, values: { name: '«Ёлка»', phone: '№ 5', note: null } },
  ]);
});

test('UTF-8 is read with a byte order mark and without', () => {
  expect(read(ivanovs).rows).toEqual([ivanovsRow]);
  expect(read(`\ufeff${ivanovs}`).rows).toEqual([ivanovsRow]);
});

test('whoever saved the file in another encoding is told which ones are read', () => {
  const utf16 = Buffer.from(ivanovs, 'utf16le');
  expect(readTable(utf16, columns)).toMatchObject(wrongEncoding);
  expect(readTable(Buffer.concat([Uint8Array.of(0xff, 0xfe), utf16]), columns)).toMatchObject(wrongEncoding);
  expect(readTable(Buffer.from(utf16).swap16(), columns)).toMatchObject(wrongEncoding);
  for (const encoding of ['ibm866', 'koi8-r', 'x-mac-cyrillic', 'iso-8859-5'])
    expect(readTable(encoded(ivanovs, encoding), columns), encoding).toMatchObject(wrongEncoding);
});

test('a damaged UTF-8 file is refused, not shown as gibberish', () => {
  const damaged = Buffer.concat([Buffer.from('Family name;Phone\nИвановы;1\n'), Uint8Array.of(0xd0)]);
  expect(readTable(damaged, columns)).toMatchObject(wrongEncoding);
  const marked = Buffer.from([0xef, 0xbb, 0xbf, ...Buffer.from('x;Family name;Phone\n1;2;'), 0xff]);
  expect(readTable(marked, columns)).toMatchObject(wrongEncoding);
});

test('what is no text is refused: a workbook, a control character', () => {
  expect(readTable(Buffer.from('504b0304140006000800', 'hex'), columns)).toMatchObject(wrongEncoding);
  expect(read('Family name;Phone\nIvanov\u0007;1')).toMatchObject(wrongEncoding);
});

test('comma, semicolon and tab separate cells; the header tells which', () => {
  for (const separator of [',', ';', '\t'])
    expect(read(ivanovs.replaceAll(';', separator)).rows, separator).toEqual([ivanovsRow]);
  expect(read('"Номер; по журналу; в личном деле",Family name,Phone\n1,Ивановы,2').rows).toMatchObject([
    { values: { name: 'Ивановы', phone: '2' } },
  ]);
});

test('Excel may name the separator on a line of its own, which is not counted', () => {
  for (const line of ['sep=;\r\n', 'SEP=;\n', '"sep=;"\r', 'sep=;;;\r\n'])
    expect(read(line + ivanovs).rows, line).toEqual([ivanovsRow]);
  expect(namesIn('sep=,\nFamily name,Phone;Note\nИвановы,1')).toEqual([]);
});

test('lines end as on Windows, Linux or an old Mac, even in one file', () => {
  expect(namesIn('Family name;Phone\nА;1\r\nБ;2\rВ;3')).toEqual(['А', 'Б', 'В']);
});

test('columns are known by their titles however these are written, in any order', () => {
  expect(read('PHONE;фамилия  Ребенка:;Кружок\n1;Ивановы;шахматы').rows).toEqual([
    { row: 2, values: { name: 'Ивановы', phone: '1', note: null } },
  ]);
  expect(read(' Family_Name ;"Phone"').titles).toEqual({ name: 'Family_Name', phone: 'Phone' });
  expect(namesIn('Фамилия ребе\u0308нка;Phone\nИвановы;1')).toEqual(['Ивановы']); // as macOS writes ё
});

test('a required column that is missing is named', () => {
  const { rows, problems } = read('Примечание\nпридёт позже');
  expect(rows).toEqual([]);
  expect(problems).toEqual([
    { row: 1, column: 'Фамилия ребёнка', text: 'CSV_COLUMN_MISSING', values: { column: 'Фамилия ребёнка' } },
    { row: 1, column: 'Телефон', text: 'CSV_COLUMN_MISSING', values: { column: 'Телефон' } },
  ]);
});

test('the same column twice is refused, in whichever language; strange columns may repeat', () => {
  expect(read('Телефон;Family name;PHONE\n1;А;2')).toMatchObject({
    rows: [],
    problems: [{ row: 1, column: 'PHONE', text: 'CSV_COLUMN_TWICE', values: { column: 'PHONE' } }],
  });
  expect(namesIn('Телефон;Family name;;;Кружок;Кружок\n1;А')).toEqual(['А']);
});

test('rows keep the numbers of their first lines, however many lines their cells take', () => {
  expect(rowsIn('\n\r\nFamily name;Phone\n\nА;1\n;;\n"Б\r\nБ\nБ";2\n  ;\nВ;3\n\n\n')).toEqual([5, 7, 11]);
  expect(namesIn('Family name;Phone\n"Б\r\nБ; ""б""";2\n')).toEqual(['Б\r\nБ; "б"']);
});

test('a short row lacks its last cells; a long one is a problem, unless there is nothing in them', () => {
  const { rows, problems } = read('Family name;Phone;Note\nА\nБ;2;3;4;5\nВ;3;;;;\n');
  expect(rows).toEqual([
    { row: 2, values: { name: 'А', phone: null, note: null } },
    { row: 4, values: { name: 'В', phone: '3', note: null } },
  ]);
  expect(problems).toEqual([{ row: 3, column: null, text: 'CSV_CELLS', values: { count: 5, columns: 3 } }]);
});

test('a broken quote is a problem of its row; one that is never closed hides all that follows', () => {
  const broken = read('Family name;Phone\nА;1\n"Б"Б;2\nВ;3\nГ;"4\nД;5\nЕ;6');
  expect(broken.rows.map(({ values }) => values.name)).toEqual(['А', 'В']);
  expect(broken.problems).toEqual([
    { row: 3, column: null, text: 'CSV_QUOTE' },
    { row: 5, column: null, text: 'CSV_QUOTE' },
  ]);
  expect(read('\n"Family name;Phone\nА;1')).toMatchObject({ problems: [{ row: 2, text: 'CSV_QUOTE' }] });
  expect(read('"Family name"s;Phone\nА;1')).toMatchObject({ rows: [], problems: [{ row: 1, text: 'CSV_QUOTE' }] });
});

test('quotes within a cell that is not quoted are what they are', () => {
  expect(namesIn('Family name;Phone\nМБОУ "Радуга";1\nА "";2\n"""Б"" В";3')).toEqual([
    'МБОУ "Радуга"',
    'А ""',
    '"Б" В',
  ]);
});

test('a file without anything in it is empty; one with a header only has no rows', () => {
  for (const text of ['', '\ufeff', '\r\n\r\n', ';;;\n;;;', ' ', 'sep=;'])
    expect(saysOf(text), JSON.stringify(text)).toEqual(['CSV_EMPTY']);
  expect(read('Family name;Phone\n')).toMatchObject({ rows: [], problems: [], problemCount: 0 });
});

test('of too many rows the first ones are read, and the first surplus one is named', () => {
  const full = `Family name;Phone\n${'А;1\n\n'.repeat(maxRows)}`;
  expect(read(full)).toMatchObject({ problems: [] });
  const { rows, problems } = read(`${full}Б;2\nВ;3`);
  expect(rows.length).toBe(maxRows);
  expect(problems).toEqual([{ row: 2 * maxRows + 2, column: null, text: 'CSV_ROWS', values: { max: maxRows } }]);
});

test('a hundred problems are listed, all are counted', () => {
  const { problems, problemCount } = read(`Family name;Phone\n${'А;1;2\n'.repeat(300)}`);
  expect([problems.length, problemCount, problems[99]?.row]).toEqual([100, 300, 101]);
});

test('megabytes of next to nothing do not hold the server', () => {
  const header = 'Family name;Phone\n';
  for (const piece of [';;;;\r\n', '\n', 'a\n', '"x"y;1\n', '"', '"",', 'a"', ';', ' ', ',"\n'])
    read(header + piece.repeat(300_000)); // what is quadratic here takes minutes
  expect(saysOf(`${';'.repeat(300_000)}Phone\n`)).toEqual(['CSV_COLUMN_MISSING']);
});

test('no cell that we write is computed by a spreadsheet', () => {
  const dangers = ['=1+1', '+79161234567', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', "'=1"];
  const text = writeTable(
    ['Family name', 'Phone'],
    dangers.map((cell) => [cell, null]),
  );
  expect(text.split('\r\n').slice(1, -1)).toEqual([
    "'=1+1;",
    "'+79161234567;",
    "'-1;",
    "'@SUM(A1);",
    "'=1;",
    "'=1;",
    "'=1;",
    "'＝1;",
    "''=1;",
  ]);
  expect(namesIn(text)).toEqual(dangers.map((cell) => cell.trim()));
});

test('an apostrophe that protects nothing stays', () => {
  expect(namesIn("Family name;Phone\n'+7916;1\n'Ивановы';2\n';3\nО'Нил;4")).toEqual([
    '+7916',
    "'Ивановы'",
    "'",
    "О'Нил",
  ]);
});

test('what we write is UTF-8 with a mark, semicolons and CRLF', () => {
  expect(
    writeTable(
      ['Фамилия', 'Телефон'],
      [
        ['Ивановы; "Радуга"', null],
        ['А\nБ', ''],
      ],
    ),
  ).toBe('\ufeffФамилия;Телефон\r\n"Ивановы; ""Радуга""";\r\n"А\nБ";\r\n');
  expect(writeTable(['Фамилия'], [])).toBe('\ufeffФамилия\r\n');
});

/** What people write, what spreadsheets compute, and what CSV is made of. */
const unit = oneof(string({ unit: 'binary', maxLength: 1 }), constantFrom(...'=+-@\'";,\t\r\n ＝ёЯ'), constant('""'));
const cell = array(unit, { maxLength: 6 }).map((units) => units.join('').replace(/[^\P{Cc}\t\n\r]/gu, ''));

test('any table survives being written and read', () => {
  const titles = columns.map(({ titles }) => titles[0]);
  const rowsOfCells = array(array(oneof(cell, constant(null)), { minLength: 3, maxLength: 3 }), { maxLength: 8 });
  assert(
    property(rowsOfCells, (written) => {
      const { rows, problems } = readTable(Buffer.from(writeTable(titles, written)), columns);
      const trimmed = written.map((cells) => cells.map((value) => value?.trim() || null));
      const kept = trimmed.filter((cells) => cells.some((value) => value !== null));
      expect(problems).toEqual([]);
      expect(rows.map(({ values }) => [values.name, values.phone, values.note])).toEqual(kept);
    }),
    { numRuns: 1_000 },
  );
});

test('any bytes and any text give a table', () => {
  const table = { rows: expect.any(Array), problems: expect.any(Array), problemCount: expect.any(Number) };
  assert(
    property(
      oneof(
        uint8Array({ maxLength: 200 }),
        cell.map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        expect(readTable(bytes, columns)).toMatchObject(table);
        const headed = readTable(Buffer.concat([Buffer.from('Phone;Family name\n'), bytes]), columns);
        expect(headed).toMatchObject(table);
      },
    ),
    { numRuns: 1_000 },
  );
});
