import { SessionType, ViewerType } from '../accounts/graphql.ts';
import type { Session } from '../accounts/tables.ts';
import { RateLimited } from '../errors.ts';
import { networkOf } from '../graphql/asking.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import type { Viewer } from '../viewer.ts';
import { type CodeRequest, DeliveryFailed, InvalidCode, type Origin, requestSignInCode, signIn } from './commands.ts';

const InvalidCodeReasonEnum = builder.enumType('InvalidCodeReason', {
  description: 'Why a code does not sign in.',
  values: {
    WRONG: { description: 'Other digits were sent. They may be tried again while attempts are left.' },
    USED: { description: 'It has signed in already; it does so once.' },
    LOCKED: { description: 'It was tried five times.' },
    EXPIRED: { description: 'It is older than 5 minutes, was not sent, or nobody asked for it.' },
  } as const,
});

builder.objectType(InvalidCode, {
  name: 'InvalidCode',
  interfaces: [ErrorInterface],
  description: '`INVALID_CODE`: the code does not sign in. Unless it is WRONG, ask for a new one.',
  fields: (t) => ({
    reason: t.expose('reason', { type: InvalidCodeReasonEnum, description: 'Why.' }),
    attemptsLeft: t.exposeInt('attemptsLeft', {
      description: 'How often the code of this challenge may still be tried; 0: ask for a new one.',
    }),
  }),
});
builder.objectType(DeliveryFailed, {
  name: 'DeliveryFailed',
  interfaces: [ErrorInterface],
  description: '`DELIVERY_FAILED`: the code could not be sent. Asking again is allowed at once.',
});

const CodeRequestType = builder.objectRef<CodeRequest>('SignInCodeRequest').implement({
  description: 'A code is on its way. The answer is the same whether or not the phone is known here.',
  fields: (t) => ({
    challengeId: t.exposeID('challengeId', {
      description:
        'For `signIn`. Keep it to yourself: who has it may try the code. What others ask for the same phone is another challenge.',
    }),
    phone: t.exposeString('phone', { description: 'The phone in E.164, as it was understood.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when the code is good: 5 minutes.' }),
    resendAt: t.expose('resendAt', {
      type: 'DateTime',
      description: 'When another one may be asked for at the earliest: after 60 seconds.',
    }),
  }),
});

builder.mutationField('requestSignInCode', (t) =>
  t.fieldWithInput({
    type: CodeRequestType,
    anonymous: true,
    description:
      'Sends a one-time code of 6 digits to a phone (§2.1.3). Within 60 seconds a repeat by the same device sends nothing and ' +
      'returns the first. Limited per phone, address, network, country and installation (RATE_LIMITED, until `retryAt`): a phone gets ' +
      'few codes a day that do not sign in, and one network can ask for a fifth of them, with growing waits. A device on which ' +
      'the person has signed in before meets neither what others have spent nor the waits.',
    errors: { types: [RateLimited, DeliveryFailed] },
    input: {
      phone: t.input.string({
        required: true,
        description: 'A phone number: international, or Russian as it is written there. `+79161234567`',
      }),
      deviceToken: t.input.string({
        description:
          'By what the device is known again: 32 random bytes in base64url (43 characters), made once by the client and kept ' +
          'there as a session’s token is. Browsers need none, they get a cookie.',
      }),
    },
    resolve: async (_root, { input }, ctx) => {
      const asker = { ...originOf(ctx), deviceToken: input.deviceToken ?? ctx.asking.device() };
      return requestSignInCode(ctx.db, ctx.services, { phone: input.phone, locale: ctx.locale }, asker);
    },
  }),
);

const SignInPayload = builder
  .objectRef<{ token: string; viewer: Viewer; session: Session }>('SignInPayload')
  .implement({
    description: 'A new session. Browsers also get it as an HttpOnly cookie.',
    fields: (t) => ({
      token: t.exposeString('token', {
        description: 'For `Authorization: Bearer …` and the socket’s `connectionParams`. Shown once.',
      }),
      viewer: t.field({ type: ViewerType, description: 'Who is signed in now.', resolve: ({ viewer }) => viewer }),
      session: t.field({ type: SessionType, description: 'The session.', resolve: ({ session }) => session }),
    }),
  });

builder.mutationField('signIn', (t) =>
  t.fieldWithInput({
    type: SignInPayload,
    anonymous: true,
    description:
      'Signs in with the code of a challenge: 5 attempts in 5 minutes. A phone takes 50 wrong guesses a day over all challenges, of ' +
      'which one network can spend 10, with growing waits (RATE_LIMITED, until `retryAt`; the code itself is not used up by that). The ' +
      'first sign-in makes an ordinary account without rights; from then on the phone knows the device that had asked for the code.',
    errors: { types: [InvalidCode, RateLimited] },
    input: {
      challengeId: t.input.id({ required: true, description: 'What `requestSignInCode` answered.' }),
      code: t.input.string({ required: true, description: 'The 6 digits.' }),
    },
    resolve: async (_root, { input }, ctx) => {
      const { authenticate, sessionDays } = ctx.services;
      const given = { ...input, client: ctx.asking.client, locale: ctx.locale, maxDays: sessionDays.max };
      const signed = await signIn(ctx.db, ctx.services, given, originOf(ctx));
      const viewer = await authenticate(signed.token);
      if (!viewer) throw new Error('a session just begun is over');
      ctx.asking.setCookie(signed.token);
      ctx.become(viewer);
      return { ...signed, viewer };
    },
  }),
);

const originOf = ({ asking: { address } }: Context): Omit<Origin, 'deviceToken'> => ({
  address,
  network: networkOf(address),
});
