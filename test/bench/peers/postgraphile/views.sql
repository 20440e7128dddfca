-- What PostGraphile shows of the tables, with names and relations by its smart comments. Who looks is `viewer.id`; they read
-- what was said while they took part, and of other families no one who is LIMITED.
drop schema if exists peer cascade;
create schema peer;

create function peer.viewer() returns uuid language sql stable
  as $$ select nullif(current_setting('viewer.id', true), '')::uuid $$;
create function peer.global_id(type text, id uuid) returns text language sql immutable
  as $$ select replace(encode(convert_to(type || ':' || id, 'UTF8'), 'base64'), E'\n', '') $$;
comment on function peer.viewer() is '@behavior -*';
comment on function peer.global_id(text, uuid) is '@behavior -*';

create view peer.people as
  select u.id as row_id, peer.global_id('User', u.id) as global_id,
    nullif(concat_ws(' ', u.family_name, u.given_name, u.patronymic), '') as display_name
  from public.users u;
comment on view peer.people is E'@primaryKey row_id';
comment on column peer.people.global_id is '@name id';

create view peer.chats as
  select c.id as row_id, peer.global_id('Chat', c.id) as global_id, c.name,
    coalesce(k.read_through, 0)::int as viewer_read_through,
    greatest(0, c.last_number - greatest(coalesce(k.read_through, 0), s.since))::int as viewer_unread_count
  from public.chats c
  join lateral (
    select min(m.since_number) as since from public.audience_members m
    where m.audience_id = c.audience_id and m.user_id = peer.viewer() and m.until is null having count(*) > 0) s on true
  left join public.chat_marks k on k.chat_id = c.id and k.user_id = peer.viewer();
comment on view peer.chats is E'@primaryKey row_id';
comment on column peer.chats.global_id is '@name id';

-- Whom the viewer meets in their chats. `is true` below has Postgres find them once, and not for every message, and read the
-- latest messages by their index.
create view peer.takers as
  select c.id as chat_id, w.user_id
  from public.audience_members me
  join public.chats c on c.audience_id = me.audience_id
  join public.audience_members w on w.audience_id = me.audience_id and w.until is null
  where me.user_id = peer.viewer() and me.until is null and (w.user_id = me.user_id or not exists (
    select from public.hidden_people h where h.user_id = w.user_id and h.organization_id = c.organization_id));
comment on view peer.takers is E'@behavior -*';

create view peer.messages as
  select m.id as row_id, peer.global_id('Message', m.id) as global_id, m.chat_id, m.number::int as number, m.number as place, m.text,
    to_char(m.sent_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as sent_at,
    case when m.capacity = 'GUARDIAN' and m.author_id <> peer.viewer() and exists (
      select from public.hidden_people h where h.user_id = m.author_id and h.organization_id = c.organization_id)
      then null else m.author_id end as author_id,
    (select count(*)::int from public.chat_marks k
      where k.chat_id = m.chat_id and k.read_through >= m.number and k.user_id <> m.author_id
        and ((k.chat_id, k.user_id) in (select t.chat_id, t.user_id from peer.takers t)) is true) as read_count
  from public.messages m join public.chats c on c.id = m.chat_id
  where (exists (
    select from public.audience_members w
    where w.audience_id = c.audience_id and w.user_id = peer.viewer() and w.since_number < m.number
      and (w.until_number is null or m.number <= w.until_number))) is true;
comment on view peer.messages is E'@primaryKey row_id\n@foreignKey (chat_id) references peer.chats (row_id)|@foreignFieldName messages\n@foreignKey (author_id) references peer.people (row_id)|@fieldName author';
comment on column peer.messages.global_id is '@name id';

create view peer.reactions as
  select r.message_id, r.emoji, count(*)::int as count from public.message_reactions r group by r.message_id, r.emoji;
comment on view peer.reactions is E'@foreignKey (message_id) references peer.messages (row_id)|@foreignSimpleFieldName reactions|@foreignFieldName reactionConnection|@behavior +list';

create view peer.attachments as
  select f.id as row_id, peer.global_id('File', f.id) as global_id, f.owner_id as message_id, f.name, f.media_type,
    f.size::int as size, f.position
  from public.files f where f.owner_kind = 'MESSAGE' and f.state = 'READY';
comment on view peer.attachments is E'@primaryKey row_id\n@foreignKey (message_id) references peer.messages (row_id)|@foreignSimpleFieldName attachments|@foreignFieldName attachmentConnection|@behavior +list';
comment on column peer.attachments.global_id is '@name id';

create function peer.chat(id text) returns peer.chats language sql stable
  as $$ select * from peer.chats where row_id = split_part(convert_from(decode($1, 'base64'), 'UTF8'), ':', 2)::uuid $$;
