CREATE TYPE "public"."history_visibility" AS ENUM('FROM_JOIN', 'ALL');--> statement-breakpoint
CREATE TYPE "public"."message_failure" AS ENUM('ACCESS_LOST', 'CHAT_CLOSED');--> statement-breakpoint
CREATE TYPE "public"."message_priority" AS ENUM('NORMAL', 'IMPORTANT', 'URGENT');--> statement-breakpoint
CREATE TYPE "public"."message_state" AS ENUM('SCHEDULED', 'SENT', 'FAILED', 'CANCELLED', 'DELETED');--> statement-breakpoint
CREATE TYPE "public"."poll_electorate" AS ENUM('PERSON', 'CHILD');--> statement-breakpoint
CREATE TYPE "public"."poll_results" AS ENUM('ALWAYS', 'AFTER_VOTE', 'AFTER_CLOSE');--> statement-breakpoint
CREATE TYPE "public"."poll_state" AS ENUM('OPEN', 'CLOSED');--> statement-breakpoint
ALTER TYPE "public"."audience_kind" ADD VALUE 'CHAT';--> statement-breakpoint
ALTER TYPE "public"."file_owner_kind" ADD VALUE 'MESSAGE';--> statement-breakpoint
CREATE TABLE "chat_marks" (
	"chat_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"read_through" bigint DEFAULT 0 NOT NULL,
	"capacity" text,
	"draft" text,
	"muted_at" timestamp with time zone,
	"muted_until" timestamp with time zone,
	CONSTRAINT "chat_marks_pkey" PRIMARY KEY("chat_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "chat_members" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"chat_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"added_by" uuid NOT NULL,
	"is_supervisor" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"left_at" timestamp with time zone,
	"removed_by" uuid,
	CONSTRAINT "chat_members_removed_check" CHECK ("chat_members"."removed_by" is null or "chat_members"."left_at" is not null)
);
--> statement-breakpoint
CREATE TABLE "message_acknowledgements" (
	"message_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "message_acknowledgements_pkey" PRIMARY KEY("message_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "message_reactions" (
	"message_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"emoji" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "message_reactions_pkey" PRIMARY KEY("message_id","emoji","user_id")
);
--> statement-breakpoint
CREATE TABLE "message_revisions" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"message_id" uuid NOT NULL,
	"text" text NOT NULL,
	"replaced_by" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"chat_id" uuid NOT NULL,
	"number" bigint,
	"author_id" uuid NOT NULL,
	"capacity" text NOT NULL,
	"state" "message_state" DEFAULT 'SENT' NOT NULL,
	"text" text NOT NULL,
	"client_message_id" text NOT NULL,
	"reply_to_id" uuid,
	"forwarded_from_id" uuid,
	"mentions" uuid[] DEFAULT '{}' NOT NULL,
	"priority" "message_priority" DEFAULT 'NORMAL' NOT NULL,
	"acknowledgement_required" boolean DEFAULT false NOT NULL,
	"sent_at" timestamp with time zone,
	"send_at" timestamp with time zone,
	"failure" "message_failure",
	"edited_at" timestamp with time zone,
	"pinned_at" timestamp with time zone,
	"deleted_at" timestamp with time zone,
	"deleted_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"search" "tsvector" GENERATED ALWAYS AS (array_to_tsvector(array[chat_id::text]) || to_tsvector('pg_catalog.russian', translate(lower(text collate "pg_c_utf8"), 'ё', 'е'))) STORED,
	CONSTRAINT "messages_client_key" UNIQUE("author_id","chat_id","client_message_id"),
	CONSTRAINT "messages_number_check" CHECK (("messages"."number" is not null) = ("messages"."state" in ('SENT', 'DELETED'))),
	CONSTRAINT "messages_sent_check" CHECK (("messages"."number" is null) = ("messages"."sent_at" is null)),
	CONSTRAINT "messages_scheduled_check" CHECK ("messages"."state" not in ('SCHEDULED', 'FAILED') or "messages"."send_at" is not null),
	CONSTRAINT "messages_failure_check" CHECK (("messages"."state" = 'FAILED') = ("messages"."failure" is not null)),
	CONSTRAINT "messages_deleted_check" CHECK (("messages"."state" = 'DELETED') = ("messages"."deleted_at" is not null)),
	CONSTRAINT "messages_pinned_check" CHECK ("messages"."pinned_at" is null or "messages"."state" = 'SENT')
);
--> statement-breakpoint
CREATE TABLE "poll_options" (
	"poll_id" uuid NOT NULL,
	"position" smallint NOT NULL,
	"text" text NOT NULL,
	"vote_count" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "poll_options_pkey" PRIMARY KEY("poll_id","position"),
	CONSTRAINT "poll_options_position_check" CHECK ("poll_options"."position" between 1 and 12),
	CONSTRAINT "poll_options_count_check" CHECK ("poll_options"."vote_count" >= 0)
);
--> statement-breakpoint
CREATE TABLE "poll_voters" (
	"poll_id" uuid NOT NULL,
	"elector" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"child_id" uuid,
	CONSTRAINT "poll_voters_pkey" PRIMARY KEY("poll_id","elector")
);
--> statement-breakpoint
CREATE TABLE "poll_votes" (
	"poll_id" uuid NOT NULL,
	"elector" uuid NOT NULL,
	"position" smallint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "poll_votes_pkey" PRIMARY KEY("poll_id","position","elector")
);
--> statement-breakpoint
CREATE TABLE "polls" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"message_id" uuid,
	"post_id" uuid,
	"creator_id" uuid NOT NULL,
	"question" text NOT NULL,
	"multiple" boolean NOT NULL,
	"anonymous" boolean NOT NULL,
	"electorate" "poll_electorate" NOT NULL,
	"results" "poll_results" NOT NULL,
	"state" "poll_state" DEFAULT 'OPEN' NOT NULL,
	"closes_at" timestamp with time zone,
	"closed_at" timestamp with time zone,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "polls_message_key" UNIQUE("message_id"),
	CONSTRAINT "polls_post_key" UNIQUE("post_id"),
	CONSTRAINT "polls_idempotency_key" UNIQUE("creator_id","idempotency_key"),
	CONSTRAINT "polls_owner_check" CHECK (("polls"."message_id" is null) <> ("polls"."post_id" is null)),
	CONSTRAINT "polls_closed_check" CHECK (("polls"."state" = 'CLOSED') = ("polls"."closed_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "quiet_hours" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"quiet_from" time,
	"quiet_until" time,
	"time_zone" text NOT NULL,
	CONSTRAINT "quiet_hours_times_check" CHECK (("quiet_hours"."quiet_from" is null) = ("quiet_hours"."quiet_until" is null))
);
--> statement-breakpoint
DROP VIEW "public"."derived_audience_members";--> statement-breakpoint
ALTER TABLE "audiences" DROP CONSTRAINT "audiences_subject_check";--> statement-breakpoint
ALTER TABLE "chats" ALTER COLUMN "name" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "audience_members" ADD COLUMN "since_number" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "audience_members" ADD COLUMN "until_number" bigint;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "history_visibility" "history_visibility" DEFAULT 'FROM_JOIN' NOT NULL;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "creator_id" uuid;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "pair" text;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "idempotency_key" text;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "last_number" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "place" uuid DEFAULT uuidv7() NOT NULL;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "copy_of" uuid;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "guardian_chats_allowed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "quiet_from" time DEFAULT '21:00';--> statement-breakpoint
ALTER TABLE "organizations" ADD COLUMN "quiet_until" time DEFAULT '07:00';--> statement-breakpoint
ALTER TABLE "chat_marks" ADD CONSTRAINT "chat_marks_chat_id_chats_id_fk" FOREIGN KEY ("chat_id") REFERENCES "public"."chats"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_marks" ADD CONSTRAINT "chat_marks_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_members" ADD CONSTRAINT "chat_members_chat_id_chats_id_fk" FOREIGN KEY ("chat_id") REFERENCES "public"."chats"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_members" ADD CONSTRAINT "chat_members_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_members" ADD CONSTRAINT "chat_members_added_by_users_id_fk" FOREIGN KEY ("added_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_members" ADD CONSTRAINT "chat_members_removed_by_users_id_fk" FOREIGN KEY ("removed_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_acknowledgements" ADD CONSTRAINT "message_acknowledgements_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_acknowledgements" ADD CONSTRAINT "message_acknowledgements_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_reactions" ADD CONSTRAINT "message_reactions_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_reactions" ADD CONSTRAINT "message_reactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_revisions" ADD CONSTRAINT "message_revisions_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "message_revisions" ADD CONSTRAINT "message_revisions_replaced_by_users_id_fk" FOREIGN KEY ("replaced_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_chat_id_chats_id_fk" FOREIGN KEY ("chat_id") REFERENCES "public"."chats"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_deleted_by_users_id_fk" FOREIGN KEY ("deleted_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "poll_options" ADD CONSTRAINT "poll_options_poll_id_polls_id_fk" FOREIGN KEY ("poll_id") REFERENCES "public"."polls"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "poll_voters" ADD CONSTRAINT "poll_voters_poll_id_polls_id_fk" FOREIGN KEY ("poll_id") REFERENCES "public"."polls"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "poll_voters" ADD CONSTRAINT "poll_voters_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "poll_voters" ADD CONSTRAINT "poll_voters_child_id_children_id_fk" FOREIGN KEY ("child_id") REFERENCES "public"."children"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "poll_votes" ADD CONSTRAINT "poll_votes_voter_fk" FOREIGN KEY ("poll_id","elector") REFERENCES "public"."poll_voters"("poll_id","elector") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "polls" ADD CONSTRAINT "polls_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "polls" ADD CONSTRAINT "polls_message_id_messages_id_fk" FOREIGN KEY ("message_id") REFERENCES "public"."messages"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "polls" ADD CONSTRAINT "polls_post_id_posts_id_fk" FOREIGN KEY ("post_id") REFERENCES "public"."posts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "polls" ADD CONSTRAINT "polls_creator_id_users_id_fk" FOREIGN KEY ("creator_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "quiet_hours" ADD CONSTRAINT "quiet_hours_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "chat_marks_user_index" ON "chat_marks" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "chat_members_open_key" ON "chat_members" USING btree ("chat_id","user_id") WHERE "chat_members"."left_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "chat_members_supervisor_key" ON "chat_members" USING btree ("chat_id") WHERE "chat_members"."is_supervisor" and "chat_members"."left_at" is null;--> statement-breakpoint
CREATE INDEX "chat_members_user_index" ON "chat_members" USING btree ("user_id") WHERE "chat_members"."left_at" is null;--> statement-breakpoint
CREATE INDEX "message_revisions_message_index" ON "message_revisions" USING btree ("message_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "messages_number_key" ON "messages" USING btree ("chat_id","number");--> statement-breakpoint
CREATE INDEX "messages_unsent_index" ON "messages" USING btree ("author_id","id") WHERE "messages"."number" is null;--> statement-breakpoint
CREATE INDEX "messages_pinned_index" ON "messages" USING btree ("chat_id","number") WHERE "messages"."pinned_at" is not null;--> statement-breakpoint
CREATE INDEX "messages_required_index" ON "messages" USING btree ("chat_id","number") WHERE "messages"."acknowledgement_required";--> statement-breakpoint
CREATE INDEX "messages_search_index" ON "messages" USING gin ("search") WITH (gin_pending_list_limit=256);--> statement-breakpoint
CREATE INDEX "poll_votes_elector_index" ON "poll_votes" USING btree ("poll_id","elector");--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_creator_id_users_id_fk" FOREIGN KEY ("creator_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "chats_audience_key" ON "chats" USING btree ("audience_id");--> statement-breakpoint
CREATE INDEX "files_copy_index" ON "files" USING btree ("copy_of") WHERE "files"."copy_of" is not null;--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_pair_key" UNIQUE("organization_id","pair");--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_idempotency_key" UNIQUE("creator_id","idempotency_key");--> statement-breakpoint
ALTER TABLE "audiences" ADD CONSTRAINT "audiences_subject_check" CHECK (("audiences"."subject_id" is not null) = ("audiences"."kind"::text like 'GROUP%' or "audiences"."kind"::text = 'CHAT'));--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_pair_check" CHECK (("chats"."kind" = 'DIRECT') = ("chats"."pair" is not null));--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_name_check" CHECK (("chats"."kind" = 'DIRECT') = ("chats"."name" is null));--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_creator_check" CHECK (("chats"."kind" in ('DIRECT', 'CUSTOM')) = ("chats"."creator_id" is not null));--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_quiet_check" CHECK (("organizations"."quiet_from" is null) = ("organizations"."quiet_until" is null));--> statement-breakpoint
CREATE VIEW "public"."chat_places" AS (
  select s.user_id, s.organization_id, m.chat_id, s.role as capacity
  from chat_members m
  join chats c on c.id = m.chat_id
  join active_standings s on s.user_id = m.user_id and s.organization_id = c.organization_id
  where m.left_at is null and (s.role <> 'EMPLOYEE' or s.verified or s.administrator)
    and ((s.role = 'EMPLOYEE' and c.kind = 'CUSTOM') or exists (
      select from chat_members o
      join active_standings t on t.user_id = o.user_id and t.organization_id = c.organization_id
      where o.chat_id = m.chat_id and o.left_at is null and o.user_id <> m.user_id
        and (t.role <> 'EMPLOYEE' or t.verified or t.administrator) and (t.role <> 'STUDENT' or c.kind = 'CUSTOM')
        and (s.role <> 'STUDENT' or (o.is_supervisor and t.verified))
        and case when s.role = 'EMPLOYEE' and t.role = 'EMPLOYEE' then true
          when s.role <> 'EMPLOYEE' and t.role <> 'EMPLOYEE' then false
          else s.administrator or t.administrator or (s.position = 'HEAD' and s.verified) or (t.position = 'HEAD' and t.verified)
            or exists (
              select from active_places p join active_places q on q.group_id = p.group_id
              where p.membership_id = s.membership_id and q.membership_id = t.membership_id) end))
);--> statement-breakpoint
CREATE VIEW "public"."hidden_people" AS (
  select l.user_id, l.organization_id, c.group_id
  from guardian_links l
  join children c on c.id = l.child_id
  where l.contact_visibility = 'LIMITED' and not exists (
    select from guardian_links n
    where n.child_id = l.child_id and n.user_id = l.user_id and n.id > l.id and n.state <> 'PENDING')
);--> statement-breakpoint
CREATE VIEW "public"."derived_audience_members" AS (
  select a.id as audience_id, a.organization_id, s.user_id, s.role as capacity
  from audiences a
  join active_standings s on s.organization_id = a.organization_id
  where a.kind = 'MEMBERS'
    or (a.kind = 'EMPLOYEES' and s.role = 'EMPLOYEE')
    or (a.kind = 'STAFF' and s.role = 'EMPLOYEE' and (s.verified or s.administrator))
    or (a.kind = 'VERIFIED_STAFF' and s.role = 'EMPLOYEE' and s.verified)
    or (a.kind = 'ADMINISTRATORS' and s.administrator)
  union
  select a.id, a.organization_id, s.user_id, s.role
  from active_standings s
  join groups g on g.organization_id = s.organization_id and g.state = 'ACTIVE'
  join audiences a on a.subject_id = g.id and a.kind::text = 'GROUP'
  where s.administrator or (s.position = 'HEAD' and s.verified)
  union
  select a.id, a.organization_id, p.user_id, p.role
  from active_places p
  join audiences a on a.subject_id = p.group_id
  where a.kind::text = 'GROUP'
    or (a.kind::text = 'GROUP_STAFF' and p.role = 'EMPLOYEE')
    or (a.kind::text = 'GROUP_GUARDIANS' and p.role in ('EMPLOYEE', 'GUARDIAN'))
  union
  select a.id, a.organization_id, p.user_id, p.capacity
  from chat_places p
  join audiences a on a.subject_id = p.chat_id and a.kind::text = 'CHAT'
);