CREATE TABLE "member_names" (
	"organization_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"family_name" text NOT NULL,
	"given_name" text NOT NULL,
	"patronymic" text,
	"likeness" text GENERATED ALWAYS AS (translate(lower(regexp_replace(regexp_replace(
    normalize(family_name || ' ' || given_name || coalesce(' ' || patronymic, ''), nfkd) collate "pg_c_utf8",
    '[\u0300-\u036f\u115f\u1160\u17b4\u17b5\u2800\ufe00-\ufe0f]', '', 'g'), '[[:space:]]+', ' ', 'g')), 'авсегнкмортухіјѕһүӏԁԛԝαβεηικμνορτυχ013l‐‒–—−', 'abcerhkmoptyxijshyidqwabehikmvoptyxoiзi-----')) STORED NOT NULL,
	"has_namesake" boolean DEFAULT false NOT NULL,
	CONSTRAINT "member_names_key" PRIMARY KEY("organization_id","user_id")
);
--> statement-breakpoint
ALTER TABLE "member_names" ADD CONSTRAINT "member_names_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "member_names" ADD CONSTRAINT "member_names_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "member_names_likeness_index" ON "member_names" USING btree ("organization_id","likeness");--> statement-breakpoint
CREATE INDEX "memberships_user_index" ON "memberships" USING btree ("user_id","id");--> statement-breakpoint
-- Whoever has been a member goes by what the institution's register calls them, else by the name of their account.
INSERT INTO "member_names" ("organization_id", "user_id", "family_name", "given_name", "patronymic")
SELECT m."organization_id", m."user_id", coalesce(r."family_name", u."family_name"), coalesce(r."given_name", u."given_name"),
  CASE WHEN r."id" IS NULL THEN u."patronymic" ELSE r."patronymic" END
FROM (SELECT DISTINCT "organization_id", "user_id" FROM "memberships") m
JOIN "users" u ON u."id" = m."user_id"
LEFT JOIN "staff_records" r ON r."organization_id" = m."organization_id" AND r."phone" = u."phone"
WHERE coalesce(r."family_name", u."family_name") IS NOT NULL AND coalesce(r."given_name", u."given_name") IS NOT NULL;--> statement-breakpoint
-- As `markNamesakes` does it for some.
UPDATE "member_names" n SET "has_namesake" = true
WHERE EXISTS (
  SELECT FROM "member_names" o
  JOIN "memberships" m ON m."user_id" = o."user_id" AND m."organization_id" = o."organization_id"
  WHERE o."organization_id" = n."organization_id" AND o."likeness" = n."likeness" AND o."user_id" <> n."user_id"
    AND (m."role" = 'EMPLOYEE' OR NOT EXISTS (
      SELECT FROM "hidden_people" h WHERE h."user_id" = o."user_id" AND h."organization_id" = o."organization_id")));
