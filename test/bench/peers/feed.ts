/**
 * The floor of the feed: one statement written by hand, whose JSON goes out as it is. It knows who asks, what they read, and
 * what stands around a post, as Homeroom does; it decides nothing, checks no input and knows no other query.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import postgres from 'postgres';
import { hostname, port } from './orders.ts';

const sql = postgres(process.env.DATABASE_URL ?? '', { max: 10, onnotice: () => {} });

const globalId = (type: string, id: string) =>
  `replace(encode(convert_to('${type}:' || ${id}, 'UTF8'), 'base64'), E'\\n', '')`;
const instant = (at: string) => `to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** $1 is the token's hash, $2 how many, $3 the place behind which the page begins. */
const statement = (behind: string) => `
  with me as materialized (
    select user_id as id from sessions where token_hash = decode($1, 'hex') and ended_at is null and expires_at > now()),
  page as materialized (
    select latest.*, row_number() over (order by place desc) as number from (
      select distinct c.id, c.kind, c.name from audience_members m join me on me.id = m.user_id
      join channels c on c.audience_id = m.audience_id where m.until is null) c
    cross join lateral (
      select p.*, c.kind as channel_kind, c.name as channel_name from posts p
      where p.channel_id = c.id and p.state = 'PUBLISHED' ${behind} order by p.place desc limit $2 + 1) latest
    order by place desc limit $2 + 1)
  select json_build_object('data', json_build_object('viewer', json_build_object('feed', json_build_object(
    'nodes', (select json_agg(json_build_object(
      'id', ${globalId('Post', 'p.id')}, 'state', p.state,
      'author', json_build_object('id', ${globalId('User', 'u.id')}, 'displayName', concat_ws(' ', u.family_name, u.given_name, u.patronymic)),
      'text', p.text, 'plainText', p.text,
      'attachments', (select coalesce(json_agg(json_build_object('id', ${globalId('File', 'f.id')}, 'name', f.name,
          'mediaType', f.media_type, 'size', f.size, 'width', f.width, 'height', f.height) order by f.position), '[]')
        from files f where f.owner_id = p.id and f.state = 'READY'),
      'acknowledgementRequired', p.acknowledgement_required, 'commenting', p.commenting,
      'commentCount', (select count(*) from comments c where c.post_id = p.id and c.state = 'PUBLISHED'),
      'reactions', (select coalesce(json_agg(json_build_object('emoji', r.emoji, 'count', r.size) order by r.size desc, r.emoji), '[]')
        from (select emoji, count(*) as size from post_reactions where post_id = p.id group by emoji) r),
      'isPinned', p.pinned_at is not null, 'publishAt', ${instant('p.publish_at')}, 'publishedAt', ${instant('p.published_at')},
      'editedAt', ${instant('p.edited_at')},
      'channel', json_build_object('id', ${globalId('Channel', 'p.channel_id')}, 'kind', p.channel_kind, 'name', p.channel_name),
      'viewerChildren', (select coalesce(json_agg(json_build_object('id', ${globalId('Child', 'ch.id')},
          'displayName', concat_ws(' ', ch.family_name, ch.given_name, ch.patronymic))), '[]')
        from guardian_links l join me on me.id = l.user_id join children ch on ch.id = l.child_id
        where l.state = 'ACTIVE' and ch.organization_id = p.organization_id
          and (p.channel_kind = 'COMMUNITY' or p.channel_kind = 'GROUP' and exists (
            select from channels c where c.id = p.channel_id and c.group_id = ch.group_id))),
      'viewerReactions', array(select r.emoji from post_reactions r join me on me.id = r.user_id where r.post_id = p.id order by r.created_at),
      'viewerMustAcknowledge', a.created_at is null and exists (
        select from post_recipients r join me on me.id = r.user_id where r.post_id = p.id),
      'viewerAcknowledgedAt', ${instant('a.created_at')}) order by p.place desc)
      from page p join users u on u.id = p.author_id
      left join (post_acknowledgements a join me on me.id = a.user_id) on a.post_id = p.id
      where p.number <= $2),
    'pageInfo', json_build_object('hasNextPage', (select count(*) > $2 from page),
      'endCursor', (select place from page where number <= $2 order by number desc limit 1))))))::text as answer`;

const first = statement('');
const later = statement('and p.place < $3');

createServer(async (request, response) => {
  if (request.method !== 'POST') return response.end();
  let body = '';
  request.setEncoding('utf8');
  for await (const chunk of request) body += chunk;
  const { variables } = JSON.parse(body);
  const token = String(request.headers.authorization).replace(/^Bearer /, '');
  const hash = createHash('sha256').update(token).digest('hex');
  const behind = variables.after ? [variables.after] : [];
  const [row] = await sql.unsafe(variables.after ? later : first, [hash, variables.first, ...behind], {
    prepare: true,
  });
  response.setHeader('content-type', 'application/json').end(row?.answer);
}).listen(port, hostname);
