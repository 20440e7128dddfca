CREATE TYPE "public"."chat_state" AS ENUM('ACTIVE', 'READ_ONLY', 'ARCHIVED');--> statement-breakpoint
CREATE TYPE "public"."contact_visibility" AS ENUM('FULL', 'LIMITED');--> statement-breakpoint
CREATE TYPE "public"."enrollment_end" AS ENUM('TRANSFERRED', 'GRADUATED', 'WITHDRAWN');--> statement-breakpoint
CREATE TYPE "public"."guardian_link_state" AS ENUM('PENDING', 'ACTIVE', 'REVOKED');--> statement-breakpoint
CREATE TYPE "public"."movement_kind" AS ENUM('ENROLLED', 'TRANSFERRED', 'GRADUATED', 'WITHDRAWN', 'ASSIGNED', 'RELEASED');--> statement-breakpoint
CREATE TYPE "public"."planned_movement_state" AS ENUM('PLANNED', 'DONE', 'CANCELLED', 'FAILED');--> statement-breakpoint
ALTER TYPE "public"."audience_kind" ADD VALUE 'GROUP';--> statement-breakpoint
ALTER TYPE "public"."audience_kind" ADD VALUE 'GROUP_STAFF';--> statement-breakpoint
ALTER TYPE "public"."audience_kind" ADD VALUE 'GROUP_GUARDIANS';--> statement-breakpoint
ALTER TYPE "public"."membership_end" ADD VALUE 'CHILDREN_LEFT';--> statement-breakpoint
CREATE TABLE "academic_year_rollovers" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"from_year" text NOT NULL,
	"to_year" text NOT NULL,
	"groups" jsonb NOT NULL,
	"decided_by" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "academic_year_rollovers_year_key" UNIQUE("organization_id","from_year"),
	CONSTRAINT "academic_year_rollovers_years_check" CHECK ("academic_year_rollovers"."from_year" < "academic_year_rollovers"."to_year")
);
--> statement-breakpoint
CREATE TABLE "staff_assignments" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"group_id" uuid NOT NULL,
	"membership_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"position" "position" NOT NULL,
	"started_on" date NOT NULL,
	"ended_on" date,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "staff_assignments_position_check" CHECK ("staff_assignments"."position" <> 'HEAD'),
	CONSTRAINT "staff_assignments_days_check" CHECK ("staff_assignments"."ended_on" >= "staff_assignments"."started_on")
);
--> statement-breakpoint
CREATE TABLE "staff_records" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"external_id" text NOT NULL,
	"phone" text NOT NULL,
	"family_name" text NOT NULL,
	"given_name" text NOT NULL,
	"patronymic" text,
	"position" "position" NOT NULL,
	"group_ids" uuid[] NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "staff_records_external_key" UNIQUE("organization_id","external_id"),
	CONSTRAINT "staff_records_phone_key" UNIQUE("organization_id","phone"),
	CONSTRAINT "staff_records_position_check" CHECK ("staff_records"."position" <> 'HEAD')
);
--> statement-breakpoint
CREATE TABLE "children" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"external_id" text,
	"family_name" text NOT NULL,
	"given_name" text NOT NULL,
	"patronymic" text,
	"birth_date" date,
	"group_id" uuid,
	"user_id" uuid,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "children_place_key" UNIQUE("id","organization_id"),
	CONSTRAINT "children_external_key" UNIQUE("organization_id","external_id"),
	CONSTRAINT "children_idempotency_key" UNIQUE("organization_id","idempotency_key"),
	CONSTRAINT "children_user_key" UNIQUE("organization_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "enrollments" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"child_id" uuid NOT NULL,
	"group_id" uuid NOT NULL,
	"started_on" date NOT NULL,
	"ended_on" date,
	"end" "enrollment_end",
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "enrollments_end_check" CHECK (("enrollments"."end" is null) = ("enrollments"."ended_on" is null)),
	CONSTRAINT "enrollments_days_check" CHECK ("enrollments"."ended_on" >= "enrollments"."started_on")
);
--> statement-breakpoint
CREATE TABLE "guardian_links" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"child_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"state" "guardian_link_state" NOT NULL,
	"contact_visibility" "contact_visibility" DEFAULT 'FULL' NOT NULL,
	"reason" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"activated_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "guardian_links_active_check" CHECK ("guardian_links"."state" <> 'ACTIVE' or "guardian_links"."activated_at" is not null),
	CONSTRAINT "guardian_links_revoked_check" CHECK (("guardian_links"."state" = 'REVOKED') = ("guardian_links"."revoked_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "movements" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"kind" "movement_kind" NOT NULL,
	"child_id" uuid,
	"membership_id" uuid,
	"user_id" uuid,
	"position" "position",
	"from_group_id" uuid,
	"to_group_id" uuid,
	"effective_on" date NOT NULL,
	"order_number" text,
	"order_date" date,
	"note" text,
	"decided_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "movements_subject_check" CHECK (num_nonnulls("movements"."child_id", "movements"."membership_id") = 1),
	CONSTRAINT "movements_groups_check" CHECK (num_nonnulls("movements"."from_group_id", "movements"."to_group_id") > 0)
);
--> statement-breakpoint
CREATE TABLE "planned_movements" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"kind" "movement_kind" NOT NULL,
	"child_id" uuid,
	"membership_id" uuid,
	"user_id" uuid,
	"position" "position",
	"from_group_id" uuid,
	"to_group_id" uuid,
	"effective_on" date NOT NULL,
	"order_number" text,
	"order_date" date,
	"note" text,
	"decided_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"state" "planned_movement_state" DEFAULT 'PLANNED' NOT NULL,
	"failure" text,
	"decided_at" timestamp with time zone,
	CONSTRAINT "planned_movements_subject_check" CHECK (num_nonnulls("planned_movements"."child_id", "planned_movements"."membership_id") = 1),
	CONSTRAINT "planned_movements_failure_check" CHECK (("planned_movements"."state" = 'FAILED') = ("planned_movements"."failure" is not null)),
	CONSTRAINT "planned_movements_decision_check" CHECK (("planned_movements"."state" = 'PLANNED') = ("planned_movements"."decided_at" is null))
);
--> statement-breakpoint
DROP VIEW "public"."derived_audience_members";--> statement-breakpoint
ALTER TABLE "audiences" DROP CONSTRAINT "audiences_organization_kind_key";--> statement-breakpoint
ALTER TABLE "groups" DROP CONSTRAINT "groups_staff_check";--> statement-breakpoint
ALTER TABLE "audiences" ADD COLUMN "subject_id" uuid;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "group_id" uuid;--> statement-breakpoint
ALTER TABLE "chats" ADD COLUMN "state" "chat_state" DEFAULT 'ACTIVE' NOT NULL;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "parent_id" uuid;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "staff_audience_id" uuid;--> statement-breakpoint
UPDATE "groups" SET "staff_audience_id" = (SELECT "staff_audience_id" FROM "organizations" WHERE "organizations"."id" = "groups"."organization_id");--> statement-breakpoint
ALTER TABLE "groups" ALTER COLUMN "staff_audience_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "idempotency_key" text;--> statement-breakpoint
ALTER TABLE "groups" ADD COLUMN "archived_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "invites" ADD COLUMN "child_id" uuid;--> statement-breakpoint
ALTER TABLE "join_requests" ADD COLUMN "child_id" uuid;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_place_key" UNIQUE("id","organization_id");--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_year_key" UNIQUE("id","organization_id","academic_year");--> statement-breakpoint
ALTER TABLE "academic_year_rollovers" ADD CONSTRAINT "academic_year_rollovers_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "academic_year_rollovers" ADD CONSTRAINT "academic_year_rollovers_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "staff_assignments" ADD CONSTRAINT "staff_assignments_group_fkey" FOREIGN KEY ("group_id","organization_id") REFERENCES "public"."groups"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "staff_assignments" ADD CONSTRAINT "staff_assignments_membership_fkey" FOREIGN KEY ("membership_id","organization_id","user_id") REFERENCES "public"."memberships"("id","organization_id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "staff_records" ADD CONSTRAINT "staff_records_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "children" ADD CONSTRAINT "children_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "children" ADD CONSTRAINT "children_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "children" ADD CONSTRAINT "children_group_fkey" FOREIGN KEY ("group_id","organization_id") REFERENCES "public"."groups"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "enrollments" ADD CONSTRAINT "enrollments_child_fkey" FOREIGN KEY ("child_id","organization_id") REFERENCES "public"."children"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "enrollments" ADD CONSTRAINT "enrollments_group_fkey" FOREIGN KEY ("group_id","organization_id") REFERENCES "public"."groups"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_child_fkey" FOREIGN KEY ("child_id","organization_id") REFERENCES "public"."children"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "movements" ADD CONSTRAINT "movements_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "movements" ADD CONSTRAINT "movements_child_fkey" FOREIGN KEY ("child_id","organization_id") REFERENCES "public"."children"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "movements" ADD CONSTRAINT "movements_membership_fkey" FOREIGN KEY ("membership_id","organization_id","user_id") REFERENCES "public"."memberships"("id","organization_id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "movements" ADD CONSTRAINT "movements_from_group_fkey" FOREIGN KEY ("from_group_id","organization_id") REFERENCES "public"."groups"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "movements" ADD CONSTRAINT "movements_to_group_fkey" FOREIGN KEY ("to_group_id","organization_id") REFERENCES "public"."groups"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "planned_movements" ADD CONSTRAINT "planned_movements_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "planned_movements" ADD CONSTRAINT "planned_movements_child_fkey" FOREIGN KEY ("child_id","organization_id") REFERENCES "public"."children"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "planned_movements" ADD CONSTRAINT "planned_movements_membership_fkey" FOREIGN KEY ("membership_id","organization_id","user_id") REFERENCES "public"."memberships"("id","organization_id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "planned_movements" ADD CONSTRAINT "planned_movements_group_fkey" FOREIGN KEY ("to_group_id","organization_id") REFERENCES "public"."groups"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "staff_assignments_open_key" ON "staff_assignments" USING btree ("membership_id","group_id","position") WHERE "staff_assignments"."ended_on" is null;--> statement-breakpoint
CREATE INDEX "staff_assignments_group_index" ON "staff_assignments" USING btree ("group_id","id");--> statement-breakpoint
CREATE INDEX "staff_assignments_membership_index" ON "staff_assignments" USING btree ("membership_id","id");--> statement-breakpoint
CREATE INDEX "children_organization_index" ON "children" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "children_group_index" ON "children" USING btree ("group_id","id");--> statement-breakpoint
CREATE INDEX "children_user_index" ON "children" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "enrollments_open_key" ON "enrollments" USING btree ("child_id") WHERE "enrollments"."ended_on" is null;--> statement-breakpoint
CREATE INDEX "enrollments_child_index" ON "enrollments" USING btree ("child_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "guardian_links_open_key" ON "guardian_links" USING btree ("child_id","user_id") WHERE "guardian_links"."state" <> 'REVOKED';--> statement-breakpoint
CREATE INDEX "guardian_links_child_index" ON "guardian_links" USING btree ("child_id","id");--> statement-breakpoint
CREATE INDEX "guardian_links_user_index" ON "guardian_links" USING btree ("user_id","organization_id");--> statement-breakpoint
CREATE INDEX "movements_organization_index" ON "movements" USING btree ("organization_id","id");--> statement-breakpoint
CREATE INDEX "movements_child_index" ON "movements" USING btree ("child_id","id");--> statement-breakpoint
CREATE INDEX "movements_membership_index" ON "movements" USING btree ("membership_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "planned_movements_child_key" ON "planned_movements" USING btree ("child_id","effective_on") WHERE "planned_movements"."state" = 'PLANNED' and "planned_movements"."child_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "planned_movements_staff_key" ON "planned_movements" USING btree ("membership_id","effective_on","kind","position",coalesce("to_group_id", "from_group_id")) WHERE "planned_movements"."state" = 'PLANNED' and "planned_movements"."membership_id" is not null;--> statement-breakpoint
CREATE INDEX "planned_movements_due_index" ON "planned_movements" USING btree ("effective_on") WHERE "planned_movements"."state" = 'PLANNED';--> statement-breakpoint
CREATE INDEX "planned_movements_organization_index" ON "planned_movements" USING btree ("organization_id","id");--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_staff_audience_id_audiences_id_fk" FOREIGN KEY ("staff_audience_id") REFERENCES "public"."audiences"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_parent_fkey" FOREIGN KEY ("parent_id","organization_id","academic_year") REFERENCES "public"."groups"("id","organization_id","academic_year") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_child_fkey" FOREIGN KEY ("child_id","organization_id") REFERENCES "public"."children"("id","organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_requests" ADD CONSTRAINT "join_requests_child_id_children_id_fk" FOREIGN KEY ("child_id") REFERENCES "public"."children"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audiences_subject_index" ON "audiences" USING btree ("subject_id");--> statement-breakpoint
CREATE UNIQUE INDEX "chats_group_key" ON "chats" USING btree ("group_id");--> statement-breakpoint
CREATE INDEX "groups_parent_index" ON "groups" USING btree ("parent_id");--> statement-breakpoint
CREATE INDEX "invites_group_index" ON "invites" USING btree ("group_id");--> statement-breakpoint
ALTER TABLE "audiences" ADD CONSTRAINT "audiences_subject_key" UNIQUE NULLS NOT DISTINCT("organization_id","kind","subject_id");--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_idempotency_key" UNIQUE("organization_id","idempotency_key");--> statement-breakpoint
ALTER TABLE "audiences" ADD CONSTRAINT "audiences_subject_check" CHECK (("audiences"."subject_id" is not null) = ("audiences"."kind"::text like 'GROUP%'));--> statement-breakpoint
ALTER TABLE "chats" ADD CONSTRAINT "chats_group_check" CHECK (("chats"."kind" = 'GROUP_GUARDIANS') = ("chats"."group_id" is not null));--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_academic_year_check" CHECK (("groups"."kind" = 'STAFF') = ("groups"."academic_year" is null));--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_parent_check" CHECK ("groups"."parent_id" <> "groups"."id");--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_archive_check" CHECK (("groups"."state" = 'ARCHIVED') = ("groups"."archived_at" is not null));--> statement-breakpoint
ALTER TABLE "groups" ADD CONSTRAINT "groups_staff_check" CHECK ("groups"."kind" <> 'STAFF' or ("groups"."state" = 'ACTIVE' and "groups"."parent_id" is null));--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_child_check" CHECK ("invites"."child_id" is null or "invites"."role" <> 'EMPLOYEE');--> statement-breakpoint
CREATE VIEW "public"."active_places" AS (
  select m.user_id, m.organization_id, m.id as membership_id, m.role::text as role, a.group_id, null::uuid as child_id
  from memberships m
  join organizations o on o.id = m.organization_id and o.state = 'ACTIVE'
  join staff_assignments a on a.membership_id = m.id and a.ended_on is null
  where m.state = 'ACTIVE' and m.role = 'EMPLOYEE'
    and exists (select from verifications v where v.membership_id = m.id and v.state = 'VERIFIED')
  union all
  select m.user_id, m.organization_id, m.id, m.role::text, c.group_id, c.id
  from memberships m
  join organizations o on o.id = m.organization_id and o.state = 'ACTIVE'
  join guardian_links l on l.user_id = m.user_id and l.organization_id = m.organization_id and l.state = 'ACTIVE'
  join children c on c.id = l.child_id and c.group_id is not null
  where m.state = 'ACTIVE' and m.role = 'GUARDIAN'
  union all
  select m.user_id, m.organization_id, m.id, m.role::text, c.group_id, c.id
  from memberships m
  join organizations o on o.id = m.organization_id and o.state = 'ACTIVE'
  join children c on c.user_id = m.user_id and c.organization_id = m.organization_id and c.group_id is not null
  where m.state = 'ACTIVE' and m.role = 'STUDENT'
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
);
