/** Kinds of events, told to a person themself, after which others may meet them no longer, or meet them again (§4.11). */
const ofMeeting: ReadonlySet<string> = new Set([
  'GUARDIAN_LINKED',
  'GUARDIAN_UNLINKED',
  'GUARDIAN_CONTACT_VISIBILITY_SET',
]);

/** May make somebody hidden from others, or seen. */
export const changesWhoIsMet = (kind: string): boolean => ofMeeting.has(kind);
