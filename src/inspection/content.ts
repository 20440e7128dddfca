import { type FileHandle, readFile } from 'node:fs/promises';
import { fileTypeFromBuffer, fileTypeFromFile } from 'file-type';
import { fromBufferPromise, openPromise, type ZipFile } from 'yauzl';

/** What is looked at: a file, or what was unpacked from one. */
export interface Content {
  readonly size: number;
  /** @throws RangeError behind its end */
  read(position: number, length: number): Promise<Buffer>;
  all(): Promise<Buffer>;
  /** Its type by its beginning; '' when that is not known. */
  guess(): Promise<string>;
  unzip(): Promise<ZipFile>;
}

const lazily = { lazyEntries: true, autoClose: false } as const;

export const ofFile = (file: FileHandle, path: string, size: number): Content => ({
  size,
  read: async (position, length) => {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(length), position });
    if (bytesRead < length) throw new RangeError('shorter than it says');
    return buffer;
  },
  all: () => readFile(path),
  guess: async () => (await fileTypeFromFile(path))?.mime ?? '',
  unzip: () => openPromise(path, lazily),
});

/** Of `size` bytes those that are given; of what is long they are the beginning. */
export const ofBytes = (bytes: Buffer, size: number): Content => ({
  size,
  read: async (position, length) => {
    if (position + length > bytes.length) throw new RangeError('shorter than it says');
    return bytes.subarray(position, position + length);
  },
  all: async () => {
    if (bytes.length < size) throw new RangeError('too long to be read as a whole');
    return bytes;
  },
  guess: async () => (await fileTypeFromBuffer(bytes))?.mime ?? '',
  unzip: () => fromBufferPromise(bytes, lazily),
});
