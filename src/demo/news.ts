import { and, eq } from 'drizzle-orm';
import { acknowledgePost } from '../acknowledgements/commands.ts';
import { channels } from '../channels/tables.ts';
import { addComment } from '../comments/commands.ts';
import type { Transaction } from '../database/connect.ts';
import { draftPost } from '../posts/commands.ts';
import { pinPost, publishPost } from '../publications/commands.ts';
import { addReaction } from '../reactions/commands.ts';
import { approveSuggestion, rejectSuggestion, suggestPost } from '../suggestions/commands.ts';
import type { Viewer } from '../viewer.ts';

/** Who writes and reads. */
export interface Voices {
  readonly administrator: Viewer;
  readonly head: Viewer;
  readonly educator: Viewer;
  readonly parent: Viewer;
}

const welcome = `## Добро пожаловать!

Здесь мы рассказываем, чем живёт детский сад. **Важное** отмечаем просьбой об ознакомлении, остальное читайте, когда удобно.

- объявления для всех — в этом канале,
- новости группы — в её канале,
- вопросы воспитателю — в чате группы.`;

const hygiene = `С понедельника утренний приём — с **7:00 до 8:15**, через центральный вход.

Просим всех родителей отметить, что прочитали.`;

const regulation = `Коллеги, приказ № 47-од о порядке работы в мессенджере подписан.

1. Чаты групп ведут воспитатели.
2. Объявления для всех публикует администратор.`;

const concert = `Осенний утренник — в пятницу, в 10:00, в музыкальном зале. Нужны:

- чешки,
- жёлтая или оранжевая рубашка,
- хорошее настроение 🍁`;

/** What has been told so far: to all, to the staff, to two groups; what waits, and what was given back. */
export async function fillNews(tx: Transaction, organizationId: string, voices: Voices): Promise<void> {
  const { administrator, head, educator, parent } = voices;
  const channel = async (...is: readonly [kind: 'COMMUNITY' | 'STAFF'] | readonly [kind: 'GROUP', name: string]) => {
    const [kind, name] = is;
    const [found] = await tx
      .select()
      .from(channels)
      .where(
        and(
          eq(channels.organizationId, organizationId),
          eq(channels.kind, kind),
          name === undefined ? undefined : eq(channels.name, name),
        ),
      );
    return found?.id ?? '';
  };
  const tell = async (who: Viewer, channelId: string, text: string, more: object = {}): Promise<string> => {
    const { id } = await draftPost(tx, who, { channelId, text, ...more });
    await publishPost(tx, who, id);
    return id;
  };
  const [community, staff] = [await channel('COMMUNITY'), await channel('STAFF')];
  const [pchyolki, romashka] = [await channel('GROUP', 'Пчёлки'), await channel('GROUP', 'Ромашка')];

  await pinPost(tx, administrator, await tell(administrator, community, welcome));
  const asked = await tell(administrator, community, hygiene, { acknowledgementRequired: true });
  await acknowledgePost(tx, educator, asked);
  await tell(administrator, staff, regulation, { acknowledgementRequired: true });

  const matinee = await tell(educator, pchyolki, concert, { commenting: 'OPEN' });
  await addComment(tx, parent, matinee, { text: 'Спасибо! Можно ли прийти с бабушкой?' });
  await addComment(tx, educator, matinee, { text: 'Конечно, места хватит всем.' });
  await addReaction(tx, parent, matinee, '🍁');
  await tell(educator, romashka, 'Завтра идём в парк: непромокаемая обувь и сменные варежки.');

  const suggest = async (text: string) => {
    const { id } = await draftPost(tx, head, { channelId: community, text });
    await suggestPost(tx, head, id);
    return id;
  };
  const taken = await suggest('Родительское собрание — 5 декабря в 18:00, в музыкальном зале.');
  await approveSuggestion(tx, administrator, taken);
  await publishPost(tx, administrator, taken);
  const comment = 'Марина Сергеевна, добавьте, пожалуйста, кто ведёт кружок.';
  await rejectSuggestion(tx, administrator, await suggest('Открыт набор в кружок рисования.'), { comment });
  await suggest('Бассейн закрыт на профилактику с 1 по 7 декабря.');
}
