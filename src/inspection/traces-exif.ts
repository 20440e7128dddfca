/** A TIFF of one directory with one number in it: its header, and the entry that begins at `entryAt`. */
const oneEntryBytes = 26;
const entryAt = 10;
const orientationTag = 0x0112;
const shortType = 3;

/**
 * Puts EXIF that says nothing but the picture's orientation in the place of one that says more. False: there is none, or it is
 * upright anyway, and nothing is left.
 */
export function blankExif(tiff: Buffer): boolean {
  const orientation = orientationOf(tiff);
  tiff.fill(0);
  if (orientation === null || orientation === 1 || tiff.length < oneEntryBytes) return false;
  tiff.write('II*\0', 'latin1');
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(1, 8);
  tiff.writeUInt16LE(orientationTag, entryAt);
  tiff.writeUInt16LE(shortType, entryAt + 2);
  tiff.writeUInt32LE(1, entryAt + 4);
  tiff.writeUInt16LE(orientation, entryAt + 8);
  return true;
}

/** By the first directory; null where it is damaged or says none. */
function orientationOf(tiff: Buffer): number | null {
  const isLittle = tiff.toString('latin1', 0, 2) === 'II';
  const number = (at: number, bytes: 2 | 4): number => {
    if (at + bytes > tiff.length) return 0;
    return isLittle ? tiff.readUIntLE(at, bytes) : tiff.readUIntBE(at, bytes);
  };
  if (number(2, 2) !== 42) return null;
  const directory = number(4, 4);
  for (let index = 0; index < number(directory, 2); index++) {
    const entry = directory + 2 + 12 * index;
    if (number(entry, 2) !== orientationTag) continue;
    const value = number(entry + 8, 2);
    return value >= 1 && value <= 8 ? value : null;
  }
  return null;
}
