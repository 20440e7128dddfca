CREATE TYPE "public"."channel_state" AS ENUM('ACTIVE', 'ARCHIVED');--> statement-breakpoint
CREATE TYPE "public"."commenting" AS ENUM('OFF', 'MODERATED', 'OPEN');--> statement-breakpoint
CREATE TYPE "public"."comment_state" AS ENUM('PENDING', 'PUBLISHED', 'REJECTED', 'DELETED');--> statement-breakpoint
CREATE TYPE "public"."file_owner_kind" AS ENUM('POST', 'MATERIAL', 'APPLICATION');--> statement-breakpoint
CREATE TYPE "public"."file_state" AS ENUM('PENDING', 'READY', 'REJECTED', 'DELETED');--> statement-breakpoint
CREATE TYPE "public"."post_state" AS ENUM('DRAFT', 'SUGGESTED', 'APPROVED', 'SCHEDULED', 'PUBLISHED', 'ARCHIVED', 'DELETED');--> statement-breakpoint
CREATE TYPE "public"."post_step_kind" AS ENUM('DRAFTED', 'EDITED', 'SUGGESTED', 'REJECTED', 'WITHDRAWN', 'APPROVED', 'SCHEDULED', 'UNSCHEDULED', 'REFUSED', 'PUBLISHED', 'ARCHIVED', 'RESTORED', 'DELETED');--> statement-breakpoint
CREATE TABLE "post_acknowledgements" (
	"post_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "post_acknowledgements_pkey" PRIMARY KEY("post_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "post_recipients" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"post_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"child_id" uuid,
	CONSTRAINT "post_recipients_key" UNIQUE NULLS NOT DISTINCT("post_id","user_id","child_id")
);
--> statement-breakpoint
CREATE TABLE "channel_marks" (
	"channel_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"read_through" uuid,
	"muted_at" timestamp with time zone,
	"muted_until" timestamp with time zone,
	CONSTRAINT "channel_marks_pkey" PRIMARY KEY("user_id","channel_id")
);
--> statement-breakpoint
CREATE TABLE "comments" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"channel_id" uuid NOT NULL,
	"post_id" uuid NOT NULL,
	"author_id" uuid NOT NULL,
	"state" "comment_state" NOT NULL,
	"text" text NOT NULL,
	"reason" text,
	"decided_by" uuid,
	"decided_at" timestamp with time zone,
	"edited_at" timestamp with time zone,
	"shown_at" timestamp with time zone,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "comments_idempotency_key" UNIQUE("author_id","idempotency_key"),
	CONSTRAINT "comments_shown_check" CHECK ("comments"."state" <> 'PUBLISHED' or "comments"."shown_at" is not null),
	CONSTRAINT "comments_decided_check" CHECK (("comments"."decided_by" is null) = ("comments"."decided_at" is null))
);
--> statement-breakpoint
CREATE TABLE "file_link_key" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"secret" "bytea" NOT NULL,
	CONSTRAINT "file_link_key_only_check" CHECK ("file_link_key"."only")
);
--> statement-breakpoint
CREATE TABLE "files" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"uploader_id" uuid NOT NULL,
	"state" "file_state" DEFAULT 'PENDING' NOT NULL,
	"name" text NOT NULL,
	"size" bigint NOT NULL,
	"media_type" text,
	"sha256" "bytea",
	"width" integer,
	"height" integer,
	"has_preview" boolean DEFAULT false NOT NULL,
	"refusal" text,
	"owner_kind" "file_owner_kind",
	"owner_id" uuid,
	"position" smallint DEFAULT 0 NOT NULL,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"received_at" timestamp with time zone,
	"deleted_at" timestamp with time zone,
	"erased_at" timestamp with time zone,
	CONSTRAINT "files_idempotency_key" UNIQUE("uploader_id","idempotency_key"),
	CONSTRAINT "files_size_check" CHECK ("files"."size" > 0),
	CONSTRAINT "files_owner_check" CHECK (("files"."owner_kind" is null) = ("files"."owner_id" is null)),
	CONSTRAINT "files_attached_check" CHECK ("files"."owner_id" is null or "files"."state" in ('READY', 'DELETED')),
	CONSTRAINT "files_received_check" CHECK ("files"."state" <> 'READY' or ("files"."received_at" is not null and "files"."media_type" is not null)),
	CONSTRAINT "files_rejected_check" CHECK (("files"."state" = 'REJECTED') = ("files"."refusal" is not null)),
	CONSTRAINT "files_deleted_check" CHECK (("files"."state" = 'DELETED') = ("files"."deleted_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "materials" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"group_id" uuid NOT NULL,
	"title" text NOT NULL,
	"description" text,
	"added_by" uuid NOT NULL,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"removed_at" timestamp with time zone,
	CONSTRAINT "materials_idempotency_key" UNIQUE("added_by","idempotency_key")
);
--> statement-breakpoint
CREATE TABLE "post_steps" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"post_id" uuid NOT NULL,
	"kind" "post_step_kind" NOT NULL,
	"actor_id" uuid,
	"text" text,
	"note" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "posts" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"channel_id" uuid NOT NULL,
	"author_id" uuid NOT NULL,
	"state" "post_state" DEFAULT 'DRAFT' NOT NULL,
	"place" uuid DEFAULT uuidv7() NOT NULL,
	"text" text NOT NULL,
	"commenting" "commenting" NOT NULL,
	"acknowledgement_required" boolean DEFAULT false NOT NULL,
	"approved_by" uuid,
	"publish_at" timestamp with time zone,
	"scheduled_by" uuid,
	"published_at" timestamp with time zone,
	"published_by" uuid,
	"recipient_count" integer,
	"child_count" integer,
	"edited_at" timestamp with time zone,
	"pinned_at" timestamp with time zone,
	"reminded_at" timestamp with time zone,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"search" "tsvector" GENERATED ALWAYS AS (array_to_tsvector(array[channel_id::text]) || to_tsvector('pg_catalog.russian', translate(lower(text collate "pg_c_utf8"), 'ё', 'е'))) STORED,
	CONSTRAINT "posts_idempotency_key" UNIQUE("author_id","idempotency_key"),
	CONSTRAINT "posts_scheduled_check" CHECK (("posts"."state" = 'SCHEDULED') = ("posts"."publish_at" is not null)),
	CONSTRAINT "posts_scheduler_check" CHECK (("posts"."publish_at" is null) = ("posts"."scheduled_by" is null)),
	CONSTRAINT "posts_published_check" CHECK (case when "posts"."state" in ('PUBLISHED', 'ARCHIVED') then "posts"."published_at" is not null
        when "posts"."state" = 'DELETED' then true else "posts"."published_at" is null end),
	CONSTRAINT "posts_pinned_check" CHECK ("posts"."pinned_at" is null or "posts"."state" = 'PUBLISHED')
);
--> statement-breakpoint
CREATE TABLE "post_reactions" (
	"post_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"emoji" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "post_reactions_pkey" PRIMARY KEY("post_id","emoji","user_id")
);
--> statement-breakpoint
DROP INDEX "channels_system_key";--> statement-breakpoint
ALTER TABLE "channels" ADD COLUMN "group_id" uuid;--> statement-breakpoint
ALTER TABLE "channels" ADD COLUMN "is_system" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "channels" ALTER COLUMN "is_system" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "channels" ADD COLUMN "description" text;--> statement-breakpoint
ALTER TABLE "channels" ADD COLUMN "commenting" "commenting" DEFAULT 'OFF' NOT NULL;--> statement-breakpoint
ALTER TABLE "channels" ADD COLUMN "state" "channel_state" DEFAULT 'ACTIVE' NOT NULL;--> statement-breakpoint
ALTER TABLE "channels" ADD COLUMN "publishers_audience_id" uuid;--> statement-breakpoint
UPDATE "channels" SET "publishers_audience_id" = o."administrators_audience_id" FROM "organizations" o WHERE o."id" = "channels"."organization_id";--> statement-breakpoint
ALTER TABLE "channels" ALTER COLUMN "publishers_audience_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "channels" ADD COLUMN "idempotency_key" text;--> statement-breakpoint
ALTER TABLE "channels" ADD COLUMN "archived_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "post_acknowledgements" ADD CONSTRAINT "post_acknowledgements_post_id_posts_id_fk" FOREIGN KEY ("post_id") REFERENCES "public"."posts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_acknowledgements" ADD CONSTRAINT "post_acknowledgements_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_recipients" ADD CONSTRAINT "post_recipients_post_id_posts_id_fk" FOREIGN KEY ("post_id") REFERENCES "public"."posts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_recipients" ADD CONSTRAINT "post_recipients_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_recipients" ADD CONSTRAINT "post_recipients_child_id_children_id_fk" FOREIGN KEY ("child_id") REFERENCES "public"."children"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "channel_marks" ADD CONSTRAINT "channel_marks_channel_id_channels_id_fk" FOREIGN KEY ("channel_id") REFERENCES "public"."channels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "channel_marks" ADD CONSTRAINT "channel_marks_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_channel_id_channels_id_fk" FOREIGN KEY ("channel_id") REFERENCES "public"."channels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_post_id_posts_id_fk" FOREIGN KEY ("post_id") REFERENCES "public"."posts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "comments" ADD CONSTRAINT "comments_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_uploader_id_users_id_fk" FOREIGN KEY ("uploader_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "materials" ADD CONSTRAINT "materials_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "materials" ADD CONSTRAINT "materials_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "materials" ADD CONSTRAINT "materials_added_by_users_id_fk" FOREIGN KEY ("added_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_steps" ADD CONSTRAINT "post_steps_post_id_posts_id_fk" FOREIGN KEY ("post_id") REFERENCES "public"."posts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_steps" ADD CONSTRAINT "post_steps_actor_id_users_id_fk" FOREIGN KEY ("actor_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posts" ADD CONSTRAINT "posts_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posts" ADD CONSTRAINT "posts_channel_id_channels_id_fk" FOREIGN KEY ("channel_id") REFERENCES "public"."channels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posts" ADD CONSTRAINT "posts_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posts" ADD CONSTRAINT "posts_approved_by_users_id_fk" FOREIGN KEY ("approved_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posts" ADD CONSTRAINT "posts_scheduled_by_users_id_fk" FOREIGN KEY ("scheduled_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "posts" ADD CONSTRAINT "posts_published_by_users_id_fk" FOREIGN KEY ("published_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_reactions" ADD CONSTRAINT "post_reactions_post_id_posts_id_fk" FOREIGN KEY ("post_id") REFERENCES "public"."posts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_reactions" ADD CONSTRAINT "post_reactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "post_recipients_user_index" ON "post_recipients" USING btree ("user_id","post_id");--> statement-breakpoint
CREATE INDEX "comments_post_index" ON "comments" USING btree ("post_id","id");--> statement-breakpoint
CREATE INDEX "comments_pending_index" ON "comments" USING btree ("channel_id","id") WHERE "comments"."state" = 'PENDING';--> statement-breakpoint
CREATE INDEX "files_owner_index" ON "files" USING btree ("owner_id","position") WHERE "files"."owner_id" is not null;--> statement-breakpoint
CREATE INDEX "files_waiting_index" ON "files" USING btree ("uploader_id","id") WHERE "files"."owner_id" is null and "files"."erased_at" is null;--> statement-breakpoint
CREATE INDEX "files_deleted_index" ON "files" USING btree ("deleted_at") WHERE "files"."deleted_at" is not null and "files"."erased_at" is null;--> statement-breakpoint
CREATE INDEX "materials_group_index" ON "materials" USING btree ("group_id","id");--> statement-breakpoint
CREATE INDEX "post_steps_post_index" ON "post_steps" USING btree ("post_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "posts_place_key" ON "posts" USING btree ("channel_id","state","place");--> statement-breakpoint
CREATE INDEX "posts_author_index" ON "posts" USING btree ("author_id","place");--> statement-breakpoint
CREATE INDEX "posts_pinned_index" ON "posts" USING btree ("channel_id","place") WHERE "posts"."pinned_at" is not null;--> statement-breakpoint
CREATE INDEX "posts_required_index" ON "posts" USING btree ("channel_id","place") WHERE "posts"."acknowledgement_required" and "posts"."state" = 'PUBLISHED';--> statement-breakpoint
CREATE INDEX "posts_search_index" ON "posts" USING gin ("search") WITH (fastupdate=false);--> statement-breakpoint
ALTER TABLE "channels" ADD CONSTRAINT "channels_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "channels" ADD CONSTRAINT "channels_publishers_audience_id_audiences_id_fk" FOREIGN KEY ("publishers_audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "channels_group_key" ON "channels" USING btree ("group_id") WHERE "channels"."is_system";--> statement-breakpoint
CREATE INDEX "channels_group_index" ON "channels" USING btree ("group_id");--> statement-breakpoint
CREATE UNIQUE INDEX "channels_system_key" ON "channels" USING btree ("organization_id","kind") WHERE "channels"."is_system" and "channels"."kind" in ('COMMUNITY', 'STAFF');--> statement-breakpoint
ALTER TABLE "channels" ADD CONSTRAINT "channels_idempotency_key" UNIQUE("organization_id","idempotency_key");--> statement-breakpoint
ALTER TABLE "channels" ADD CONSTRAINT "channels_group_check" CHECK (("channels"."kind" = 'GROUP') = ("channels"."group_id" is not null));--> statement-breakpoint
ALTER TABLE "channels" ADD CONSTRAINT "channels_archive_check" CHECK (("channels"."state" = 'ARCHIVED') = ("channels"."archived_at" is not null));--> statement-breakpoint
ALTER TABLE "channels" ADD CONSTRAINT "channels_system_check" CHECK (not "channels"."is_system" or "channels"."kind" = 'GROUP' or "channels"."state" = 'ACTIVE');--> statement-breakpoint
INSERT INTO "channels" ("organization_id", "kind", "group_id", "is_system", "name", "state", "archived_at", "audience_id", "publishers_audience_id")
SELECT g."organization_id", 'GROUP', g."id", true, g."name", CASE WHEN g."state" = 'ACTIVE' THEN 'ACTIVE' ELSE 'ARCHIVED' END::channel_state, date_trunc('milliseconds', g."archived_at"), g."audience_id", g."staff_audience_id"
FROM "groups" g WHERE g."kind" <> 'STAFF';
