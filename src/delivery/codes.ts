import type { Config } from '../config.ts';

/** The gateway has said no, or there was none to say anything: the message is not under way. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken';
}

/** Brings a sign-in code to a phone. Rejects when it could not, with NotTaken where that is certain. */
export type DeliverCode = (phone: string, text: string, code: string) => Promise<void>;

const timeoutMs = 5_000;

/** The configured gateway's delivery; without a gateway, outside production only, the terminal's. */
export function codeDelivery(config: Config, print: (text: string) => void): DeliverCode {
  return config.sms
    ? smsGateway(config.sms)
    : async (phone, _text, code) => print(`Sign-in code for ${phone}: ${code}\n`);
}

/** An SMS gateway that takes one HTTP POST per message: the body is a template with `{phone}` and `{text}` as JSON strings. */
function smsGateway(sms: NonNullable<Config['sms']>): DeliverCode {
  return async (phone, text) => {
    const body = sms.body.replace('{phone}', () => JSON.stringify(phone)).replace('{text}', () => JSON.stringify(text));
    const sent = fetch(sms.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(sms.secret ? { authorization: `Bearer ${sms.secret}` } : {}) },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const response = await sent.catch((error: unknown) => {
      throw neverLeft(error) ? new NotTaken('the SMS gateway is away', { cause: error }) : error;
    });
    await response.body?.cancel();
    if (!response.ok) throw new NotTaken(`the SMS gateway answered ${response.status}`);
  };
}

/** Nothing was connected to that could have heard of it. */
const neverLeft = (error: unknown): boolean => {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && 'code' in cause && unreached.has(String(cause.code));
};

const unreached = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);
