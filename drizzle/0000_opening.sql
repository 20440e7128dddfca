CREATE TYPE "public"."sign_in_challenge_state" AS ENUM('ISSUED', 'USED', 'LOCKED', 'FAILED');--> statement-breakpoint
CREATE TYPE "public"."locale" AS ENUM('ru', 'en');--> statement-breakpoint
CREATE TYPE "public"."session_end" AS ENUM('SIGNED_OUT', 'REVOKED');--> statement-breakpoint
CREATE TYPE "public"."organization_application_state" AS ENUM('SUBMITTED', 'CHANGES_REQUESTED', 'APPROVED', 'REJECTED', 'WITHDRAWN');--> statement-breakpoint
CREATE TYPE "public"."audience_kind" AS ENUM('OPERATORS', 'MEMBERS', 'EMPLOYEES', 'STAFF', 'VERIFIED_STAFF', 'ADMINISTRATORS');--> statement-breakpoint
CREATE TYPE "public"."channel_kind" AS ENUM('COMMUNITY', 'STAFF', 'GROUP');--> statement-breakpoint
CREATE TYPE "public"."chat_kind" AS ENUM('DIRECT', 'CUSTOM', 'HEAD_STAFF', 'GROUP_GUARDIANS');--> statement-breakpoint
CREATE TYPE "public"."group_kind" AS ENUM('STAFF', 'AGE_GROUP', 'CLASS', 'OTHER');--> statement-breakpoint
CREATE TYPE "public"."group_state" AS ENUM('ACTIVE', 'ARCHIVED');--> statement-breakpoint
CREATE TYPE "public"."join_request_state" AS ENUM('PENDING', 'APPROVED', 'REJECTED', 'WITHDRAWN', 'EXPIRED');--> statement-breakpoint
CREATE TYPE "public"."administrator_grant_state" AS ENUM('ACTIVE', 'REVOKED');--> statement-breakpoint
CREATE TYPE "public"."membership_end" AS ENUM('LEFT', 'REMOVED');--> statement-breakpoint
CREATE TYPE "public"."membership_state" AS ENUM('ACTIVE', 'SUSPENDED', 'ENDED');--> statement-breakpoint
CREATE TYPE "public"."position" AS ENUM('HEAD', 'DEPUTY_HEAD', 'EDUCATOR', 'ASSISTANT', 'SPECIALIST', 'OFFICE', 'OTHER');--> statement-breakpoint
CREATE TYPE "public"."role" AS ENUM('EMPLOYEE', 'GUARDIAN', 'STUDENT');--> statement-breakpoint
CREATE TYPE "public"."verification_state" AS ENUM('PENDING', 'VERIFIED', 'REJECTED', 'REVOKED');--> statement-breakpoint
CREATE TYPE "public"."organization_kind" AS ENUM('KINDERGARTEN', 'SCHOOL');--> statement-breakpoint
CREATE TYPE "public"."organization_state" AS ENUM('ACTIVE', 'SUSPENDED', 'ARCHIVED');--> statement-breakpoint
CREATE SEQUENCE "public"."log_position" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "rate_limits" (
	"key" text PRIMARY KEY NOT NULL,
	"points" integer NOT NULL,
	"expire" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"client" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"used_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"ended_by" "session_end",
	CONSTRAINT "sessions_token_key" UNIQUE("token_hash"),
	CONSTRAINT "sessions_end_check" CHECK (("sessions"."ended_at" is null) = ("sessions"."ended_by" is null))
);
--> statement-breakpoint
CREATE TABLE "sign_in_challenges" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"phone" text NOT NULL,
	"code_hash" "bytea" NOT NULL,
	"state" "sign_in_challenge_state" DEFAULT 'ISSUED' NOT NULL,
	"attempt_count" smallint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "sign_in_challenges_attempts_check" CHECK ("sign_in_challenges"."attempt_count" between 0 and 5)
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"phone" text NOT NULL,
	"family_name" text,
	"given_name" text,
	"patronymic" text,
	"email" text,
	"locale" "locale" DEFAULT 'ru' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"signed_in_at" timestamp with time zone,
	CONSTRAINT "users_phone_key" UNIQUE("phone"),
	CONSTRAINT "users_phone_check" CHECK ("users"."phone" ~ '^\+[1-9][0-9]{6,14}$')
);
--> statement-breakpoint
CREATE TABLE "organization_applications" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"applicant_id" uuid NOT NULL,
	"kind" "organization_kind" NOT NULL,
	"organization_name" text NOT NULL,
	"address" text,
	"order_number" text NOT NULL,
	"order_date" date NOT NULL,
	"family_name" text NOT NULL,
	"given_name" text NOT NULL,
	"patronymic" text,
	"phone" text NOT NULL,
	"email" text NOT NULL,
	"state" "organization_application_state" DEFAULT 'SUBMITTED' NOT NULL,
	"reason" text,
	"organization_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"submitted_at" timestamp with time zone DEFAULT now() NOT NULL,
	"decided_at" timestamp with time zone,
	"decided_by" uuid,
	"idempotency_key" text,
	CONSTRAINT "organization_applications_idempotency_key" UNIQUE("applicant_id","idempotency_key"),
	CONSTRAINT "organization_applications_organization_key" UNIQUE("organization_id"),
	CONSTRAINT "organization_applications_approved_check" CHECK (("organization_applications"."state" = 'APPROVED') = ("organization_applications"."organization_id" is not null))
);
--> statement-breakpoint
CREATE TABLE "audience_members" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"audience_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"capacity" text NOT NULL,
	"since" timestamp with time zone DEFAULT now() NOT NULL,
	"since_event" bigint NOT NULL,
	"until" timestamp with time zone,
	"until_event" bigint
);
--> statement-breakpoint
CREATE TABLE "audiences" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"kind" "audience_kind" NOT NULL,
	"organization_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "audiences_organization_kind_key" UNIQUE NULLS NOT DISTINCT("organization_id","kind")
);
--> statement-breakpoint
CREATE TABLE "audit_entries" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid,
	"actor_id" uuid,
	"action" text NOT NULL,
	"target_type" text NOT NULL,
	"target_id" uuid NOT NULL,
	"before" jsonb,
	"after" jsonb,
	"reason" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "channels" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"kind" "channel_kind" NOT NULL,
	"name" text NOT NULL,
	"audience_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "chats" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"kind" "chat_kind" NOT NULL,
	"name" text NOT NULL,
	"audience_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "groups" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"kind" "group_kind" NOT NULL,
	"name" text NOT NULL,
	"academic_year" text,
	"state" "group_state" DEFAULT 'ACTIVE' NOT NULL,
	"audience_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "groups_staff_check" CHECK ("groups"."kind" <> 'STAFF' or ("groups"."state" = 'ACTIVE' and "groups"."academic_year" is null))
);
--> statement-breakpoint
CREATE TABLE "invite_redemptions" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"invite_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"membership_id" uuid,
	"join_request_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "invite_redemptions_user_key" UNIQUE("invite_id","user_id"),
	CONSTRAINT "invite_redemptions_result_check" CHECK (num_nonnulls("invite_redemptions"."membership_id", "invite_redemptions"."join_request_id") = 1)
);
--> statement-breakpoint
CREATE TABLE "invites" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"group_id" uuid NOT NULL,
	"role" "role" NOT NULL,
	"position" "position",
	"code_hash" "bytea" NOT NULL,
	"max_uses" integer DEFAULT 1 NOT NULL,
	"use_count" integer DEFAULT 0 NOT NULL,
	"requires_approval" boolean DEFAULT false NOT NULL,
	"intended_phone" text,
	"created_by" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	"idempotency_key" text,
	CONSTRAINT "invites_code_key" UNIQUE("code_hash"),
	CONSTRAINT "invites_idempotency_key" UNIQUE("created_by","idempotency_key"),
	CONSTRAINT "invites_uses_check" CHECK ("invites"."use_count" between 0 and "invites"."max_uses"),
	CONSTRAINT "invites_position_check" CHECK ("invites"."position" is null or ("invites"."role" = 'EMPLOYEE' and "invites"."position" <> 'HEAD'))
);
--> statement-breakpoint
CREATE TABLE "join_requests" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"role" "role" NOT NULL,
	"position" "position",
	"note" text,
	"invite_id" uuid,
	"state" "join_request_state" DEFAULT 'PENDING' NOT NULL,
	"reason" text,
	"membership_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"decided_at" timestamp with time zone,
	"decided_by" uuid,
	"idempotency_key" text,
	CONSTRAINT "join_requests_idempotency_key" UNIQUE("user_id","idempotency_key"),
	CONSTRAINT "join_requests_own_check" CHECK ("join_requests"."decided_by" <> "join_requests"."user_id"),
	CONSTRAINT "join_requests_membership_check" CHECK (("join_requests"."state" = 'APPROVED') = ("join_requests"."membership_id" is not null))
);
--> statement-breakpoint
CREATE TABLE "log_events" (
	"id" bigint PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY (sequence name "log_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"position" bigint,
	"audience_id" uuid NOT NULL,
	"organization_id" uuid,
	"kind" text NOT NULL,
	"subject_id" uuid NOT NULL,
	"payload" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "log_state" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"epoch" uuid DEFAULT gen_random_uuid() NOT NULL,
	"cluster" text DEFAULT '' NOT NULL,
	"trimmed_through" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "log_state_only_check" CHECK ("log_state"."only")
);
--> statement-breakpoint
CREATE TABLE "administrator_grants" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"membership_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"state" "administrator_grant_state" DEFAULT 'ACTIVE' NOT NULL,
	"reserved" boolean DEFAULT false NOT NULL,
	"order_number" text,
	"order_date" date,
	"granted_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone,
	"revoked_by" uuid,
	CONSTRAINT "administrator_grants_end_check" CHECK (("administrator_grants"."state" = 'REVOKED') = ("administrator_grants"."revoked_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "memberships" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"role" "role" NOT NULL,
	"position" "position",
	"state" "membership_state" DEFAULT 'ACTIVE' NOT NULL,
	"reason" text,
	"ended_by" "membership_end",
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "memberships_identity_key" UNIQUE("id","organization_id","user_id"),
	CONSTRAINT "memberships_position_check" CHECK ("memberships"."position" is null or "memberships"."role" = 'EMPLOYEE'),
	CONSTRAINT "memberships_end_check" CHECK (("memberships"."state" = 'ENDED') = ("memberships"."ended_at" is not null and "memberships"."ended_by" is not null))
);
--> statement-breakpoint
CREATE TABLE "verifications" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"membership_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"state" "verification_state" DEFAULT 'PENDING' NOT NULL,
	"evidence" text,
	"reason" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"decided_at" timestamp with time zone,
	"decided_by" uuid,
	CONSTRAINT "verifications_own_check" CHECK ("verifications"."decided_by" <> "verifications"."user_id" or "verifications"."state" = 'REVOKED'),
	CONSTRAINT "verifications_decision_check" CHECK (("verifications"."state" = 'PENDING') = ("verifications"."decided_at" is null))
);
--> statement-breakpoint
CREATE TABLE "organizations" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"kind" "organization_kind" NOT NULL,
	"name" text NOT NULL,
	"address" text,
	"website" text,
	"time_zone" text DEFAULT 'Europe/Moscow' NOT NULL,
	"locale" "locale" DEFAULT 'ru' NOT NULL,
	"students_allowed" boolean DEFAULT false NOT NULL,
	"state" "organization_state" DEFAULT 'ACTIVE' NOT NULL,
	"suspension_reason" text,
	"members_audience_id" uuid NOT NULL,
	"employees_audience_id" uuid NOT NULL,
	"staff_audience_id" uuid NOT NULL,
	"verified_staff_audience_id" uuid NOT NULL,
	"administrators_audience_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "organizations_students_check" CHECK ("organizations"."kind" <> 'KINDERGARTEN' or not "organizations"."students_allowed")
);
--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organization_applications" ADD CONSTRAINT "organization_applications_applicant_id_users_id_fk" FOREIGN KEY ("applicant_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organization_applications" ADD CONSTRAINT "organization_applications_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organization_applications" ADD CONSTRAINT "organization_applications_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audience_members" ADD CONSTRAINT "audience_members_audience_id_audiences_id_fk" FOREIGN KEY ("audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "channels" ADD CONSTRAINT "channels_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "channels" ADD CONSTRAINT "channels_audience_id_audiences_id_fk" FOREIGN KEY ("audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_audience_id_audiences_id_fk" FOREIGN KEY ("audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_audience_id_audiences_id_fk" FOREIGN KEY ("audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invite_redemptions" ADD CONSTRAINT "invite_redemptions_invite_id_invites_id_fk" FOREIGN KEY ("invite_id") REFERENCES "public"."invites"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invite_redemptions" ADD CONSTRAINT "invite_redemptions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invite_redemptions" ADD CONSTRAINT "invite_redemptions_membership_id_memberships_id_fk" FOREIGN KEY ("membership_id") REFERENCES "public"."memberships"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invite_redemptions" ADD CONSTRAINT "invite_redemptions_join_request_id_join_requests_id_fk" FOREIGN KEY ("join_request_id") REFERENCES "public"."join_requests"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_membership_id_memberships_id_fk" FOREIGN KEY ("membership_id") REFERENCES "public"."memberships"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "administrator_grants" ADD CONSTRAINT "administrator_grants_granted_by_users_id_fk" FOREIGN KEY ("granted_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "administrator_grants" ADD CONSTRAINT "administrator_grants_revoked_by_users_id_fk" FOREIGN KEY ("revoked_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "administrator_grants" ADD CONSTRAINT "administrator_grants_membership_fkey" FOREIGN KEY ("membership_id","organization_id","user_id") REFERENCES "public"."memberships"("id","organization_id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "verifications" ADD CONSTRAINT "verifications_membership_fkey" FOREIGN KEY ("membership_id","organization_id","user_id") REFERENCES "public"."memberships"("id","organization_id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_members_audience_id_audiences_id_fk" FOREIGN KEY ("members_audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_employees_audience_id_audiences_id_fk" FOREIGN KEY ("employees_audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_staff_audience_id_audiences_id_fk" FOREIGN KEY ("staff_audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_verified_staff_audience_id_audiences_id_fk" FOREIGN KEY ("verified_staff_audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_administrators_audience_id_audiences_id_fk" FOREIGN KEY ("administrators_audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "sessions_user_index" ON "sessions" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "sign_in_challenges_phone_index" ON "sign_in_challenges" USING btree ("phone","id");--> statement-breakpoint
CREATE INDEX "organization_applications_applicant_index" ON "organization_applications" USING btree ("applicant_id","id");--> statement-breakpoint
CREATE INDEX "organization_applications_state_index" ON "organization_applications" USING btree ("state","id");--> statement-breakpoint
CREATE UNIQUE INDEX "audience_members_open_key" ON "audience_members" USING btree ("audience_id","user_id","capacity") WHERE "audience_members"."until" is null;--> statement-breakpoint
CREATE INDEX "audience_members_user_index" ON "audience_members" USING btree ("user_id","until");--> statement-breakpoint
CREATE INDEX "audit_entries_organization_index" ON "audit_entries" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "audit_entries_actor_index" ON "audit_entries" USING btree ("actor_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "channels_system_key" ON "channels" USING btree ("organization_id","kind") WHERE "channels"."kind" in ('COMMUNITY', 'STAFF');--> statement-breakpoint
CREATE INDEX "channels_organization_index" ON "channels" USING btree ("organization_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "chats_head_staff_key" ON "chats" USING btree ("organization_id") WHERE "chats"."kind" = 'HEAD_STAFF';--> statement-breakpoint
CREATE INDEX "chats_organization_index" ON "chats" USING btree ("organization_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "groups_staff_key" ON "groups" USING btree ("organization_id") WHERE "groups"."kind" = 'STAFF';--> statement-breakpoint
CREATE UNIQUE INDEX "groups_name_key" ON "groups" USING btree ("organization_id","academic_year","name") WHERE "groups"."state" = 'ACTIVE';--> statement-breakpoint
CREATE INDEX "groups_organization_index" ON "groups" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "invites_organization_index" ON "invites" USING btree ("organization_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "join_requests_pending_key" ON "join_requests" USING btree ("user_id","organization_id","role") WHERE "join_requests"."state" = 'PENDING';--> statement-breakpoint
CREATE INDEX "join_requests_organization_index" ON "join_requests" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "join_requests_user_index" ON "join_requests" USING btree ("user_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "log_events_position_key" ON "log_events" USING btree ("position");--> statement-breakpoint
CREATE INDEX "log_events_audience_position_index" ON "log_events" USING btree ("audience_id","position");--> statement-breakpoint
CREATE INDEX "log_events_unplaced_index" ON "log_events" USING btree ("id") WHERE "log_events"."position" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "administrator_grants_active_key" ON "administrator_grants" USING btree ("membership_id") WHERE "administrator_grants"."state" = 'ACTIVE';--> statement-breakpoint
CREATE INDEX "administrator_grants_organization_index" ON "administrator_grants" USING btree ("organization_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "memberships_open_key" ON "memberships" USING btree ("user_id","organization_id","role") WHERE "memberships"."state" <> 'ENDED';--> statement-breakpoint
CREATE UNIQUE INDEX "memberships_head_key" ON "memberships" USING btree ("organization_id") WHERE "memberships"."position" = 'HEAD' and "memberships"."state" <> 'ENDED';--> statement-breakpoint
CREATE INDEX "memberships_organization_index" ON "memberships" USING btree ("organization_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "verifications_open_key" ON "verifications" USING btree ("membership_id") WHERE "verifications"."state" in ('PENDING', 'VERIFIED');--> statement-breakpoint
CREATE INDEX "verifications_membership_index" ON "verifications" USING btree ("membership_id","id");--> statement-breakpoint
CREATE INDEX "verifications_organization_index" ON "verifications" USING btree ("organization_id","id");--> statement-breakpoint
CREATE VIEW "public"."active_standings" AS (
  select m.user_id, m.organization_id, m.id as membership_id, m.role::text as role, m.position::text as position,
    exists (select from verifications v where v.membership_id = m.id and v.state = 'VERIFIED') as verified,
    exists (select from administrator_grants g where g.membership_id = m.id and g.state = 'ACTIVE') as administrator
  from memberships m
  join organizations o on o.id = m.organization_id and o.state = 'ACTIVE'
  where m.state = 'ACTIVE'
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
);