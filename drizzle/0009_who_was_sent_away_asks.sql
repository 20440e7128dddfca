ALTER TABLE "guardian_links" ADD COLUMN "revoked_by" uuid;--> statement-breakpoint
ALTER TABLE "memberships" ADD COLUMN "changed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "memberships" ADD COLUMN "changed_by" uuid;--> statement-breakpoint
ALTER TABLE "guardian_links" ADD CONSTRAINT "guardian_links_revoked_by_users_id_fk" FOREIGN KEY ("revoked_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_changed_by_users_id_fk" FOREIGN KEY ("changed_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
-- Who left by themselves gave no reason; who was sent away was told one. By whom, the audit log knows.
UPDATE "guardian_links" l SET "revoked_by" = coalesce(
  (SELECT a."actor_id" FROM "audit_entries" a
    WHERE a."target_id" = l."id" AND a."target_type" = 'GuardianLink' AND a."action" = 'guardian.unlink'
      AND a."actor_id" IS NOT NULL ORDER BY a."id" DESC LIMIT 1),
  CASE WHEN l."reason" IS NULL THEN l."user_id" END)
WHERE l."state" = 'REVOKED';--> statement-breakpoint
UPDATE "memberships" m SET ("changed_at", "changed_by") = (
  SELECT a."created_at", a."actor_id" FROM "audit_entries" a
  WHERE a."target_id" = m."id" AND a."target_type" = 'Membership'
    AND a."action" IN ('membership.end', 'membership.leave', 'membership.suspend', 'membership.restore')
  ORDER BY a."id" DESC LIMIT 1);--> statement-breakpoint
-- Links for one child take few people, for a short time.
UPDATE "invites" SET "max_uses" = greatest("use_count", least("max_uses", 4)),
  "expires_at" = least("expires_at", "created_at" + interval '30 days') WHERE "child_id" IS NOT NULL;--> statement-breakpoint
ALTER TABLE "invites" ADD CONSTRAINT "invites_child_uses_check" CHECK ("invites"."child_id" is null or "invites"."max_uses" <= greatest(4, "invites"."use_count"));