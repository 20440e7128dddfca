import { type QuietHours, tellAt } from '../quiet-hours/policy.ts';

/** What a message is to somebody else who takes part. */
export interface Weight {
  readonly isUrgent: boolean;
  /** Whether it names them. */
  readonly isMention: boolean;
  /** Whether it answers them. */
  readonly isReply: boolean;
}

/** As what a message notifies somebody; of several the one that presses most. */
export function kindOf({ isUrgent, isMention, isReply }: Weight): 'URGENT' | 'MENTION' | 'REPLY' | 'MESSAGE' {
  if (isUrgent) return 'URGENT';
  if (isMention) return 'MENTION';
  return isReply ? 'REPLY' : 'MESSAGE';
}

/** When somebody's device may ring: what is URGENT does not wait until quiet hours are over. */
export const ringsAt = (occurredAt: Date, { isUrgent }: Pick<Weight, 'isUrgent'>, hours: QuietHours | null): Date =>
  isUrgent ? occurredAt : tellAt(hours, occurredAt);
