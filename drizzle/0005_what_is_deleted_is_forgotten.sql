CREATE INDEX "audit_entries_target_index" ON "audit_entries" USING btree ("target_id");--> statement-breakpoint
UPDATE "messages" SET "text" = '', "mentions" = '{}' WHERE "state" IN ('DELETED', 'CANCELLED');--> statement-breakpoint
DELETE FROM "message_revisions" r USING "messages" m WHERE m.id = r.message_id AND m.state = 'DELETED';--> statement-breakpoint
UPDATE "posts" SET "text" = '' WHERE "state" = 'DELETED';--> statement-breakpoint
UPDATE "post_steps" s SET "text" = NULL, "note" = NULL FROM "posts" p WHERE p.id = s.post_id AND p.state = 'DELETED';--> statement-breakpoint
UPDATE "comments" c SET "text" = '', "reason" = NULL FROM "posts" p WHERE p.id = c.post_id AND (c.state = 'DELETED' OR p.state = 'DELETED');--> statement-breakpoint
UPDATE "poll_options" SET "text" = '' WHERE "poll_id" IN (
  SELECT q.id FROM "polls" q LEFT JOIN "messages" m ON m.id = q.message_id LEFT JOIN "posts" p ON p.id = q.post_id
  WHERE m.state = 'DELETED' OR p.state = 'DELETED');--> statement-breakpoint
UPDATE "polls" SET "question" = '' WHERE "id" IN (
  SELECT q.id FROM "polls" q LEFT JOIN "messages" m ON m.id = q.message_id LEFT JOIN "posts" p ON p.id = q.post_id
  WHERE m.state = 'DELETED' OR p.state = 'DELETED');--> statement-breakpoint
UPDATE "broadcast_questions" SET "text" = '', "answer" = NULL WHERE "state" = 'WITHDRAWN';--> statement-breakpoint
UPDATE "materials" SET "title" = '', "description" = NULL WHERE "removed_at" IS NOT NULL;--> statement-breakpoint
UPDATE "files" SET "name" = '', "sha256" = NULL WHERE "state" = 'DELETED';--> statement-breakpoint
UPDATE "audit_entries" SET "before" = "before" - 'fileName', "after" = "after" - 'fileName' WHERE "target_type" = 'Material';--> statement-breakpoint
WITH "gone" AS (
  SELECT id FROM "messages" WHERE "state" IN ('DELETED', 'CANCELLED')
  UNION ALL SELECT id FROM "posts" WHERE "state" = 'DELETED'
  UNION ALL SELECT id FROM "comments" WHERE "text" = ''
  UNION ALL SELECT id FROM "polls" WHERE "question" = ''
  UNION ALL SELECT id FROM "broadcast_questions" WHERE "state" = 'WITHDRAWN'
  UNION ALL SELECT id FROM "materials" WHERE "removed_at" IS NOT NULL
), "emptied" AS (
  UPDATE "audit_entries" a SET "before" = NULL, "after" = NULL, "reason" = NULL FROM "gone"
  WHERE a.target_id = gone.id AND (a.before IS NOT NULL OR a.after IS NOT NULL OR a.reason IS NOT NULL)
  RETURNING a.organization_id, a.target_type, a.target_id
)
INSERT INTO "audit_entries" ("organization_id", "action", "target_type", "target_id", "after")
SELECT organization_id, 'audit.forget', target_type, target_id, jsonb_build_object('entryCount', count(*))
FROM "emptied" GROUP BY organization_id, target_type, target_id;
