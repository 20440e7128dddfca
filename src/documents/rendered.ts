import { gently } from './gently.ts';
import { htmlOf, plainTextOf } from './markdown.ts';

/** What Markdown becomes, without keeping others waiting. */
export const html = gently(htmlOf);
export const plainText = gently(plainTextOf);
