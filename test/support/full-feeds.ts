import type postgres from 'postgres';

/** How many posts each of an organization's channels gets, and of which words. */
export interface Filling {
  readonly organizationId: string;
  readonly community: number;
  readonly staff: number;
  readonly eachGroup: number;
  /** In every one of its posts. */
  readonly word: string;
  /** Whom posts are for whose acknowledgement is required, besides a crowd: none of them has acknowledged. */
  readonly readers: readonly string[];
}

/**
 * Fills an organization's channels with published posts, ten minutes apart and mixed among the channels, with what stands
 * around posts: every 20th is to be acknowledged, every 10th has files, every 4th comments, every 3rd reactions. «утренник» is
 * in every third, «динозавр» in three.
 */
export async function fillFeeds(sql: postgres.Sql, filling: Filling): Promise<void> {
  const { organizationId, community, staff, eachGroup, word, readers } = filling;
  await sql`
    insert into users (phone)
    select '+7915' || (1000000 + n) from generate_series(1, 40) n
    on conflict do nothing`;
  await sql`
    with wanted as (
      select c.id as channel_id, k, md5(c.id::text || k) as mixed
      from channels c, generate_series(1, case c.kind when 'COMMUNITY' then ${community}::int when 'STAFF' then ${staff}::int else ${eachGroup}::int end) k
      where c.organization_id = ${organizationId} and c.is_system),
    numbered as (select channel_id, row_number() over (order by mixed)::int as n, count(*) over ()::int as size from wanted),
    author as (select user_id as id from memberships where organization_id = ${organizationId} order by id limit 1)
    insert into posts (id, organization_id, channel_id, author_id, state, place, text, commenting, acknowledgement_required,
      published_at, published_by, recipient_count, child_count, created_at)
    select uuidv7((n - size) * interval '10 minutes' - interval '1 hour'), ${organizationId}, channel_id, author.id, 'PUBLISHED',
      uuidv7((n - size) * interval '10 minutes'),
      'Всем: собрание родителей, объявление ' || n || '. ' || ${word} || ' ' ||
        case when n % 3 = 0 then 'Новый утренник в музыкальном зале, приходите. ' else '' end ||
        case when n % (size / 3) = 7 then 'Нам подарили динозавра. ' else '' end ||
        (select string_agg(w, ' ') from (select (array['группа', 'прогулка', 'обед', 'занятие', 'музыка', 'рисование', 'питание',
          'расписание', 'врач', 'справка', 'выходной', 'праздник', 'поездка', 'библиотека', 'спорт', 'лыжи', 'каток', 'театр', 'meeting',
          'schedule', 'сменная обувь', 'форма', 'фотограф', 'концерт', 'ремонт'])[1 + (n * 7 + i * i * 3) % 25] as w
          from generate_series(1, 30) i) words),
      'OPEN', n % 20 = 0, now() + (n - size) * interval '10 minutes', author.id, 40, 10, now() + (n - size - 6) * interval '10 minutes'
    from numbered, author`;
  const numbered = sql`select id, channel_id, organization_id, author_id, acknowledgement_required,
    row_number() over (order by place) as n from posts where organization_id = ${organizationId}`;
  const crowd = sql`select id from users where phone like '+7915%'`;
  await sql`
    insert into post_recipients (post_id, user_id)
    select p.id, u.id from posts p, (${crowd} union select unnest(${sql.array([...readers])}::uuid[])) u
    where p.organization_id = ${organizationId} and p.acknowledgement_required`;
  await sql`
    insert into post_acknowledgements (post_id, user_id)
    select r.post_id, r.user_id from post_recipients r join posts p on p.id = r.post_id and p.organization_id = ${organizationId}
    where r.user_id in (${crowd}) and md5(r.id::text) < 'a'`;
  await sql`
    insert into comments (organization_id, channel_id, post_id, author_id, shown_at, state, text)
    select organization_id, channel_id, id, author_id, now(), 'PUBLISHED', 'Спасибо' from (${numbered}) p, generate_series(1, 3)
    where n % 4 = 0`;
  await sql`
    insert into post_reactions (post_id, user_id, emoji)
    select p.id, u.id, (array['👍', '❤️', '🎉'])[1 + (p.n % 3)] from (${numbered}) p, (select id from users where phone like '+7915%' limit 5) u
    where n % 3 = 0`;
  await sql`
    insert into files (uploader_id, state, name, size, media_type, received_at, owner_kind, owner_id, position)
    select author_id, 'READY', 'plan-' || k || '.pdf', 1000, 'application/pdf', now(), 'POST', id, k
    from (${numbered}) p, generate_series(1, 2) k where n % 10 = 0`;
}
