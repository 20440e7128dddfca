import type { Database } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState } from '../errors.ts';
import { append } from '../log/append.ts';
import { changeMessage } from '../messages/commands.ts';
import { messageAcknowledgements } from '../messages/tables.ts';
import type { Viewer } from '../viewer.ts';

/** Takes note of a message that asks for it. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const acknowledgeMessage = (db: Database, viewer: Viewer, messageId: string): Promise<string> =>
  changeMessage(db, viewer, messageId, async (tx, { message, own, chat }) => {
    if (own.capacities.length === 0) throw new Forbidden('FORBIDDEN_LEFT_CHAT');
    if (message.state !== 'SENT') throw new InvalidState(message.state);
    if (!message.acknowledgementRequired || message.authorId === viewer.userId)
      throw new InvalidInput('messageId', 'INVALID_NO_ACKNOWLEDGEMENT');
    const added = await tx
      .insert(messageAcknowledgements)
      .values({ messageId, userId: viewer.userId })
      .onConflictDoNothing()
      .returning();
    if (added.length === 0) return;
    const event = { kind: 'MESSAGE_ACKNOWLEDGED', organizationId: chat.organizationId, subjectId: messageId };
    for (const audienceId of [message.authorId, viewer.userId])
      await append(tx, { ...event, audienceId, payload: { placeId: chat.id } });
  });
