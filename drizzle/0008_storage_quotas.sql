ALTER TABLE "files" ADD COLUMN "organization_id" uuid;--> statement-breakpoint
CREATE INDEX "files_uploader_index" ON "files" USING btree ("uploader_id","size") WHERE "files"."erased_at" is null and "files"."copy_of" is null;--> statement-breakpoint
CREATE INDEX "files_organization_index" ON "files" USING btree ("organization_id","size") WHERE "files"."erased_at" is null and "files"."copy_of" is null;
--> statement-breakpoint
UPDATE "files" f SET "organization_id" = o.organization_id FROM (
  SELECT id, organization_id FROM "posts"
  UNION ALL SELECT id, organization_id FROM "materials"
  UNION ALL SELECT m.id, c.organization_id FROM "messages" m JOIN "chats" c ON c.id = m.chat_id
) o WHERE o.id = f.owner_id;
