DELETE FROM "sign_in_challenges";--> statement-breakpoint
CREATE TABLE "secret_fingerprint" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"fingerprint" "bytea" NOT NULL,
	CONSTRAINT "secret_fingerprint_only_check" CHECK ("secret_fingerprint"."only")
);
--> statement-breakpoint
CREATE TABLE "sms_counts" (
	"key" text NOT NULL,
	"day" date NOT NULL,
	"sent" integer NOT NULL,
	"peak" integer NOT NULL,
	CONSTRAINT "sms_counts_pkey" PRIMARY KEY("key","day")
);
--> statement-breakpoint
DROP TABLE "file_link_key";--> statement-breakpoint
DROP INDEX "sign_in_challenges_phone_index";--> statement-breakpoint
ALTER TABLE "sign_in_challenges" ALTER COLUMN "id" SET DEFAULT gen_random_uuid();--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "device_hash" "bytea";--> statement-breakpoint
ALTER TABLE "sign_in_challenges" ADD COLUMN "device_hash" "bytea";--> statement-breakpoint
ALTER TABLE "sign_in_challenges" ADD COLUMN "network_hash" "bytea" NOT NULL;--> statement-breakpoint
ALTER TABLE "sign_in_challenges" ADD COLUMN "address_hash" "bytea" NOT NULL;--> statement-breakpoint
ALTER TABLE "sign_in_challenges" ADD COLUMN "is_known" boolean NOT NULL;--> statement-breakpoint
ALTER TABLE "sign_in_challenges" ADD COLUMN "attempted_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "sessions_device_index" ON "sessions" USING btree ("device_hash") WHERE "sessions"."device_hash" is not null;--> statement-breakpoint
CREATE INDEX "sign_in_challenges_phone_index" ON "sign_in_challenges" USING btree ("phone","expires_at");