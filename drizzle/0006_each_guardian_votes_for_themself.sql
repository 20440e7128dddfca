ALTER TABLE "poll_votes" DROP CONSTRAINT "poll_votes_voter_fk";--> statement-breakpoint
DROP INDEX "poll_votes_elector_index";--> statement-breakpoint
ALTER TABLE "poll_options" ADD COLUMN "shown_count" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE "poll_options" SET "shown_count" = "vote_count";--> statement-breakpoint
ALTER TABLE "poll_voters" ADD COLUMN "is_counted" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "poll_votes" ADD COLUMN "user_id" uuid;--> statement-breakpoint
UPDATE "poll_votes" v SET "user_id" = s."user_id" FROM "poll_voters" s WHERE s."poll_id" = v."poll_id" AND s."elector" = v."elector";--> statement-breakpoint
ALTER TABLE "poll_votes" ALTER COLUMN "user_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "poll_voters" DROP CONSTRAINT "poll_voters_pkey";--> statement-breakpoint
ALTER TABLE "poll_voters" ADD CONSTRAINT "poll_voters_pkey" PRIMARY KEY("poll_id","elector","user_id");--> statement-breakpoint
ALTER TABLE "poll_votes" DROP CONSTRAINT "poll_votes_pkey";--> statement-breakpoint
ALTER TABLE "poll_votes" ADD CONSTRAINT "poll_votes_pkey" PRIMARY KEY("poll_id","position","elector","user_id");--> statement-breakpoint
ALTER TABLE "poll_votes" ADD CONSTRAINT "poll_votes_voter_fk" FOREIGN KEY ("poll_id","elector","user_id") REFERENCES "public"."poll_voters"("poll_id","elector","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "poll_votes_elector_index" ON "poll_votes" USING btree ("poll_id","elector","user_id");
