import type { Config } from '../config.ts';

/** Brings a sign-in code to a phone. Rejects when it could not. */
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
    const response = await fetch(sms.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(sms.secret ? { authorization: `Bearer ${sms.secret}` } : {}) },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the SMS gateway answered ${response.status}`);
  };
}
