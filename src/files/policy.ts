import type { Viewer } from '../viewer.ts';
import type { FileRow } from './tables.ts';

/** Uploaded the file: while it is attached to nothing, it is theirs alone. */
export const canUseUpload = (viewer: Viewer, file: Pick<FileRow, 'uploaderId' | 'ownerId'>): boolean =>
  file.ownerId === null && file.uploaderId === viewer.userId;
