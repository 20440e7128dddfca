const none = 0xffffffff;
const last = 0xfffffffe;

interface Layout {
  /** The name of a stream in the first of the root's, which then is a storage. */
  readonly within?: string;
  readonly sectorBytes?: 512 | 4096;
  /** The sector where the directory begins; beyond 13,952 the table of sectors is too long for the header. */
  readonly directoryAt?: number;
}

/** An OLE compound file with nothing in it but the names at its root. */
export function compound(
  names: readonly string[],
  { within, sectorBytes = 512, directoryAt = 3 }: Layout = {},
): Buffer {
  const entries = ['Root Entry', ...names, ...(within === undefined ? [] : [within])];
  const sectors = Math.ceil((entries.length * 128) / sectorBytes);
  const file = Buffer.alloc((1 + directoryAt + sectors) * sectorBytes);
  const sector = (number: number) => file.subarray((number + 1) * sectorBytes);
  const perSector = sectorBytes / 4;

  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(file);
  file.writeUInt16LE(Math.log2(sectorBytes), 30);
  file.writeUInt32LE(directoryAt, 48);
  file.fill(0xff, 76, 512);

  // Sector 1 is the only part of the table that matters: the one with the directory's chain. Sector 2 goes on listing the parts.
  const part = Math.floor(directoryAt / perSector);
  file.writeUInt32LE(part < 109 ? last : 2, 68);
  if (part < 109) file.writeUInt32LE(1, 76 + part * 4);
  else {
    sector(2).fill(0xff, 0, sectorBytes);
    sector(2).writeUInt32LE(1, (part - 109) * 4);
    sector(2).writeUInt32LE(last, sectorBytes - 4);
  }
  for (let index = 0; index < sectors; index++) {
    const following = index === sectors - 1 ? last : directoryAt + index + 1;
    sector(1).writeUInt32LE(following, ((directoryAt + index) % perSector) * 4);
  }

  // The root's children hang on each other, each to the right of the one before.
  for (const [index, name] of entries.entries()) {
    const entry = sector(directoryAt).subarray(index * 128);
    entry.write(name, 0, 'utf16le');
    entry.writeUInt16LE(name.length * 2 + 2, 64);
    entry.writeUInt32LE(none, 68);
    entry.writeUInt32LE(index > 0 && index < names.length ? index + 1 : none, 72);
    entry.writeUInt32LE(none, 76);
  }
  sector(directoryAt).writeUInt32LE(names.length > 0 ? 1 : none, 76);
  if (within !== undefined) sector(directoryAt).writeUInt32LE(entries.length - 1, 128 + 76);
  return file;
}
