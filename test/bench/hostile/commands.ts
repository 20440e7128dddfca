/** What one person may do again and again that takes long: each a body with another key every time. */
import { randomUUID } from 'node:crypto';
import type { Things } from './documents.ts';

const body = (query: string, variables: object): string => JSON.stringify({ query, variables });
const key = (): string => `hostile-${randomUUID()}`;

/** A table of children with as many rows as one may have. */
const roster = (): string => {
  const rows = Array.from({ length: 5_000 }, (_, at) => `${at};Иванова;Мария;Class ${1 + (at % 60)}`);
  return Buffer.from(['Номер;Фамилия;Имя;Группа', ...rows].join('\n')).toString('base64');
};

export function commands(things: Things): readonly string[] {
  const [organizationId] = things.get('Organization') ?? [];
  const [channelId] = things.get('Channel') ?? [];
  const chats = things.get('Chat') ?? [];
  const twenty = Array.from({ length: 20 }, (_, at) => at);
  const text = '**a_'.repeat(1_000);
  return [
    body('mutation ($input: ImportRosterInput!) { importRoster(input: $input) { __typename } }', {
      input: { organizationId, academicYear: '2026/27', kind: 'CHILDREN', dryRun: true, file: roster() },
    }),
    body('mutation ($input: CreateInviteSheetInput!) { createInviteSheet(input: $input) { __typename } }', {
      input: { organizationId, kind: 'CHILDREN', idempotencyKey: key() },
    }),
    body(
      `mutation { ${twenty
        .map(
          (at) =>
            `a${at}: sendMessage(input: { chatId: "${chats[at]}", text: "${at}", clientMessageId: "${key()}" }) { __typename }`,
        )
        .join(' ')} }`,
      {},
    ),
    body(
      `mutation ($input: DraftPostInput!) { draftPost(input: $input) { ... on Post { ${twenty
        .map((at) => `a${at}: html`)
        .join(' ')} } } }`,
      { input: { channelId, text, idempotencyKey: key() } },
    ),
    body(
      `{ viewer { ${twenty.map((at) => `a${at}: auditLog(first: 100) { totalCount nodes { id } }`).join(' ')} } }`,
      {},
    ),
  ];
}
