import { listsOf } from '../graphql/batches.ts';
import { messageRevisions } from '../messages/tables.ts';

/** What messages said before. */
export const revisionsOf = listsOf(messageRevisions, messageRevisions.messageId, (_filter: null) => undefined);
