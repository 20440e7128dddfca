import { crc32, deflateRawSync } from 'node:zlib';

/** What an archive says of an entry, and what is really there. */
export interface ZipEntry {
  readonly name: string;
  readonly content?: Buffer | string;
  /** As the directory has it; a lie when it is given. */
  readonly declaredBytes?: number;
  readonly encrypted?: boolean;
  /** 0 stored, 8 deflated, 14 LZMA. */
  readonly method?: number;
  /** Entries with the number of an earlier one share its bytes, as in a bomb. */
  readonly sameAs?: number;
}

/** A ZIP archive, honest or not. */
export function zip(entries: readonly ZipEntry[], comment = ''): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  const packed = entries.map((entry) => packedOf(entry));
  const offsets: number[] = [];
  let offset = 0;
  for (const [index, entry] of entries.entries()) {
    const { data, fields } = packed[entry.sameAs ?? index] ?? packedOf(entry);
    const name = Buffer.from(entry.name);
    const at = entry.sameAs === undefined ? offset : (offsets[entry.sameAs] ?? 0);
    offsets.push(at);
    if (entry.sameAs === undefined) {
      const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, bytes16(name.length, 0), name, data]);
      bodies.push(local);
      offset += local.length;
    }
    directory.push(
      Buffer.concat([
        Buffer.from('PK\x01\x02'),
        bytes16(20),
        fields,
        bytes16(name.length, 0, 0, 0, 0),
        bytes32(0, at),
        name,
      ]),
    );
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.concat([
    Buffer.from('PK\x05\x06'),
    bytes16(0, 0, entries.length, entries.length),
    bytes32(size, offset),
    bytes16(comment.length),
    Buffer.from(comment),
  ]);
  return Buffer.concat([...bodies, ...directory, end]);
}

/** The fields that the local header and the directory share, from the version to the sizes. */
function packedOf({ content = '', declaredBytes, encrypted = false, method = 8 }: ZipEntry) {
  const plain = Buffer.from(content);
  const data = method === 8 ? deflateRawSync(plain) : plain;
  const flags = 0x800 | (encrypted ? 1 : 0);
  const fields = Buffer.concat([
    bytes16(20, flags, method, 0, 33),
    bytes32(crc32(plain), data.length, declaredBytes ?? plain.length),
  ]);
  return { data, fields };
}

function bytes16(...numbers: number[]): Buffer {
  const buffer = Buffer.alloc(numbers.length * 2);
  for (const [index, number] of numbers.entries()) buffer.writeUInt16LE(number, index * 2);
  return buffer;
}

function bytes32(...numbers: number[]): Buffer {
  const buffer = Buffer.alloc(numbers.length * 4);
  for (const [index, number] of numbers.entries()) buffer.writeUInt32LE(number, index * 4);
  return buffer;
}

const office = 'application/vnd.openxmlformats-officedocument';

/** As little of an Office document as is told by: the list of its parts' types and the main part. */
export function officeDocument(kind: string, ...others: ZipEntry[]): Buffer {
  const type = kind.includes('/') ? kind : `${office}.${kind}.main+xml`;
  const types = `<?xml version="1.0"?><Types><Override PartName="/main.xml" ContentType="${type}"/></Types>`;
  return zip([{ name: '[Content_Types].xml', content: types }, { name: 'main.xml', content: '<x/>' }, ...others]);
}

export const openDocument = (kind: string, ...others: ZipEntry[]): Buffer =>
  zip([
    { name: 'mimetype', content: `application/vnd.oasis.opendocument.${kind}`, method: 0 },
    { name: 'META-INF/manifest.xml', content: '<x/>' },
    ...others,
  ]);
