CREATE TYPE "public"."broadcast_question_state" AS ENUM('PENDING', 'SHOWN', 'ANSWERED', 'REJECTED', 'WITHDRAWN');--> statement-breakpoint
CREATE TYPE "public"."broadcast_state" AS ENUM('SCHEDULED', 'LIVE', 'ENDED', 'CANCELLED');--> statement-breakpoint
CREATE TYPE "public"."questioning" AS ENUM('OFF', 'MODERATED', 'OPEN');--> statement-breakpoint
CREATE TYPE "public"."call_kind" AS ENUM('AUDIO', 'VIDEO');--> statement-breakpoint
CREATE TYPE "public"."call_state" AS ENUM('RINGING', 'ACTIVE', 'ENDED', 'MISSED', 'DECLINED');--> statement-breakpoint
CREATE TYPE "public"."meeting_format" AS ENUM('ONLINE', 'HYBRID');--> statement-breakpoint
CREATE TYPE "public"."meeting_state" AS ENUM('SCHEDULED', 'LIVE', 'ENDED', 'CANCELLED');--> statement-breakpoint
CREATE TYPE "public"."room_kind" AS ENUM('MEETING', 'CALL');--> statement-breakpoint
CREATE TABLE "broadcast_attendances" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"broadcast_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"joined_at" timestamp with time zone DEFAULT now() NOT NULL,
	"seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"left_at" timestamp with time zone,
	"watched_seconds" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "broadcast_attendances_person_key" UNIQUE("broadcast_id","user_id"),
	CONSTRAINT "broadcast_attendances_watched_check" CHECK ("broadcast_attendances"."watched_seconds" >= 0)
);
--> statement-breakpoint
CREATE TABLE "broadcast_questions" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"broadcast_id" uuid NOT NULL,
	"author_id" uuid NOT NULL,
	"state" "broadcast_question_state" NOT NULL,
	"text" text NOT NULL,
	"answer" text,
	"decided_by" uuid,
	"decided_at" timestamp with time zone,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "broadcast_questions_idempotency_key" UNIQUE("author_id","idempotency_key"),
	CONSTRAINT "broadcast_questions_decided_check" CHECK (("broadcast_questions"."decided_by" is null) = ("broadcast_questions"."decided_at" is null)),
	CONSTRAINT "broadcast_questions_answer_check" CHECK ("broadcast_questions"."answer" is null or "broadcast_questions"."state" = 'ANSWERED')
);
--> statement-breakpoint
CREATE TABLE "broadcasts" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"channel_id" uuid NOT NULL,
	"creator_id" uuid NOT NULL,
	"host_id" uuid NOT NULL,
	"state" "broadcast_state" DEFAULT 'SCHEDULED' NOT NULL,
	"title" text NOT NULL,
	"description" text,
	"starts_at" timestamp with time zone NOT NULL,
	"place" uuid NOT NULL,
	"remind_before" smallint,
	"questioning" "questioning" DEFAULT 'MODERATED' NOT NULL,
	"key_version" integer DEFAULT 1 NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"cancelled_at" timestamp with time zone,
	"reason" text,
	"stream_id" text,
	"stream_seen_at" timestamp with time zone,
	"recording_url" text,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "broadcasts_idempotency_key" UNIQUE("creator_id","idempotency_key"),
	CONSTRAINT "broadcasts_started_check" CHECK (case "broadcasts"."state" when 'SCHEDULED' then "broadcasts"."started_at" is null when 'CANCELLED' then "broadcasts"."started_at" is null
        else "broadcasts"."started_at" is not null end),
	CONSTRAINT "broadcasts_ended_check" CHECK (("broadcasts"."state" = 'ENDED') = ("broadcasts"."ended_at" is not null)),
	CONSTRAINT "broadcasts_cancelled_check" CHECK (("broadcasts"."state" = 'CANCELLED') = ("broadcasts"."cancelled_at" is not null)),
	CONSTRAINT "broadcasts_stream_check" CHECK ("broadcasts"."stream_id" is null or "broadcasts"."state" = 'LIVE'),
	CONSTRAINT "broadcasts_recording_check" CHECK ("broadcasts"."recording_url" is null or "broadcasts"."state" = 'ENDED')
);
--> statement-breakpoint
CREATE TABLE "calls" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"chat_id" uuid NOT NULL,
	"caller_id" uuid NOT NULL,
	"kind" "call_kind" NOT NULL,
	"state" "call_state" DEFAULT 'RINGING' NOT NULL,
	"rings_until" timestamp with time zone NOT NULL,
	"answered_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "calls_idempotency_key" UNIQUE("caller_id","idempotency_key"),
	CONSTRAINT "calls_ended_check" CHECK (("calls"."state" in ('RINGING', 'ACTIVE')) = ("calls"."ended_at" is null)),
	CONSTRAINT "calls_answered_check" CHECK (("calls"."state" in ('ACTIVE', 'ENDED')) = ("calls"."answered_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "meetings" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"chat_id" uuid,
	"group_id" uuid,
	"audience_id" uuid NOT NULL,
	"host_id" uuid NOT NULL,
	"state" "meeting_state" DEFAULT 'SCHEDULED' NOT NULL,
	"format" "meeting_format" NOT NULL,
	"location" text,
	"title" text NOT NULL,
	"agenda" text,
	"starts_at" timestamp with time zone NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"place" uuid NOT NULL,
	"remind_before" smallint,
	"sequence" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"cancelled_at" timestamp with time zone,
	"reason" text,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "meetings_idempotency_key" UNIQUE("host_id","idempotency_key"),
	CONSTRAINT "meetings_audience_check" CHECK (("meetings"."chat_id" is null) <> ("meetings"."group_id" is null)),
	CONSTRAINT "meetings_times_check" CHECK ("meetings"."ends_at" > "meetings"."starts_at"),
	CONSTRAINT "meetings_location_check" CHECK (("meetings"."format" = 'HYBRID') = ("meetings"."location" is not null)),
	CONSTRAINT "meetings_started_check" CHECK (case "meetings"."state" when 'SCHEDULED' then "meetings"."started_at" is null when 'CANCELLED' then "meetings"."started_at" is null
        else "meetings"."started_at" is not null end),
	CONSTRAINT "meetings_ended_check" CHECK (("meetings"."state" = 'ENDED') = ("meetings"."ended_at" is not null)),
	CONSTRAINT "meetings_cancelled_check" CHECK (("meetings"."state" = 'CANCELLED') = ("meetings"."cancelled_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "conference_receipts" (
	"id" text PRIMARY KEY NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "participation_stays" (
	"sid" text PRIMARY KEY NOT NULL,
	"participation_id" uuid NOT NULL,
	"joined_at" timestamp with time zone,
	"left_at" timestamp with time zone,
	CONSTRAINT "participation_stays_told_check" CHECK ("participation_stays"."joined_at" is not null or "participation_stays"."left_at" is not null)
);
--> statement-breakpoint
CREATE TABLE "participations" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"room_kind" "room_kind" NOT NULL,
	"room_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"admitted_at" timestamp with time zone,
	"session_id" uuid,
	"joined_at" timestamp with time zone,
	"left_at" timestamp with time zone,
	"answered_at" timestamp with time zone,
	"declined_at" timestamp with time zone,
	"in_person" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "participations_person_key" UNIQUE("room_id","user_id"),
	CONSTRAINT "participations_left_check" CHECK ("participations"."left_at" is null or "participations"."joined_at" is not null)
);
--> statement-breakpoint
ALTER TABLE "chat_marks" ADD COLUMN "calls_seen_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "broadcast_attendances" ADD CONSTRAINT "broadcast_attendances_broadcast_id_broadcasts_id_fk" FOREIGN KEY ("broadcast_id") REFERENCES "public"."broadcasts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "broadcast_attendances" ADD CONSTRAINT "broadcast_attendances_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "broadcast_questions" ADD CONSTRAINT "broadcast_questions_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "broadcast_questions" ADD CONSTRAINT "broadcast_questions_broadcast_id_broadcasts_id_fk" FOREIGN KEY ("broadcast_id") REFERENCES "public"."broadcasts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "broadcast_questions" ADD CONSTRAINT "broadcast_questions_author_id_users_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "broadcast_questions" ADD CONSTRAINT "broadcast_questions_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "broadcasts" ADD CONSTRAINT "broadcasts_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "broadcasts" ADD CONSTRAINT "broadcasts_channel_id_channels_id_fk" FOREIGN KEY ("channel_id") REFERENCES "public"."channels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "broadcasts" ADD CONSTRAINT "broadcasts_creator_id_users_id_fk" FOREIGN KEY ("creator_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "broadcasts" ADD CONSTRAINT "broadcasts_host_id_users_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_chat_id_chats_id_fk" FOREIGN KEY ("chat_id") REFERENCES "public"."chats"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "calls" ADD CONSTRAINT "calls_caller_id_users_id_fk" FOREIGN KEY ("caller_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "meetings" ADD CONSTRAINT "meetings_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "meetings" ADD CONSTRAINT "meetings_chat_id_chats_id_fk" FOREIGN KEY ("chat_id") REFERENCES "public"."chats"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "meetings" ADD CONSTRAINT "meetings_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "meetings" ADD CONSTRAINT "meetings_audience_id_audiences_id_fk" FOREIGN KEY ("audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "meetings" ADD CONSTRAINT "meetings_host_id_users_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "participation_stays" ADD CONSTRAINT "participation_stays_participation_id_participations_id_fk" FOREIGN KEY ("participation_id") REFERENCES "public"."participations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "participations" ADD CONSTRAINT "participations_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "broadcast_attendances_page_index" ON "broadcast_attendances" USING btree ("broadcast_id","id");--> statement-breakpoint
CREATE INDEX "broadcast_questions_broadcast_index" ON "broadcast_questions" USING btree ("broadcast_id","id");--> statement-breakpoint
CREATE INDEX "broadcasts_open_index" ON "broadcasts" USING btree ("channel_id") WHERE "broadcasts"."state" in ('SCHEDULED', 'LIVE');--> statement-breakpoint
CREATE UNIQUE INDEX "broadcasts_live_key" ON "broadcasts" USING btree ("channel_id") WHERE "broadcasts"."state" = 'LIVE';--> statement-breakpoint
CREATE INDEX "broadcasts_channel_index" ON "broadcasts" USING btree ("channel_id","place");--> statement-breakpoint
CREATE INDEX "broadcasts_organization_index" ON "broadcasts" USING btree ("organization_id","place");--> statement-breakpoint
CREATE INDEX "broadcasts_streams_index" ON "broadcasts" USING btree ("stream_seen_at") WHERE "broadcasts"."state" = 'LIVE';--> statement-breakpoint
CREATE UNIQUE INDEX "calls_active_key" ON "calls" USING btree ("chat_id") WHERE "calls"."state" in ('RINGING', 'ACTIVE');--> statement-breakpoint
CREATE INDEX "calls_chat_index" ON "calls" USING btree ("chat_id","id");--> statement-breakpoint
CREATE INDEX "meetings_chat_index" ON "meetings" USING btree ("chat_id","place");--> statement-breakpoint
CREATE INDEX "meetings_group_index" ON "meetings" USING btree ("group_id","place");--> statement-breakpoint
CREATE INDEX "meetings_audience_index" ON "meetings" USING btree ("audience_id","place");--> statement-breakpoint
CREATE INDEX "meetings_organization_index" ON "meetings" USING btree ("organization_id","place");--> statement-breakpoint
CREATE INDEX "meetings_open_index" ON "meetings" USING btree ("audience_id") WHERE "meetings"."state" in ('SCHEDULED', 'LIVE');--> statement-breakpoint
CREATE INDEX "meetings_live_index" ON "meetings" USING btree ("id") WHERE "meetings"."state" = 'LIVE';--> statement-breakpoint
CREATE INDEX "conference_receipts_received_index" ON "conference_receipts" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "participation_stays_participation_index" ON "participation_stays" USING btree ("participation_id");--> statement-breakpoint
CREATE INDEX "participations_page_index" ON "participations" USING btree ("room_id","id");--> statement-breakpoint
CREATE INDEX "participations_user_index" ON "participations" USING btree ("user_id","room_id");