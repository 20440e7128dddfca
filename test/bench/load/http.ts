/** GraphQL over HTTP as a client with kept-alive connections asks it. */
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** What is asked, of whom, as whom. */
export interface Asking {
  readonly url: string;
  readonly token: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Asks, and returns whether the answer came without an error. */
export async function ask({ url, token, query, variables = {} }: Asking): Promise<boolean> {
  const body = Buffer.from(JSON.stringify({ query, variables }));
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    authorization: `Bearer ${token}`,
  };
  return new Promise((resolve) => {
    request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(response.statusCode === 200 && !text.includes('"errors"')));
      response.on('error', () => resolve(false));
    })
      .on('error', () => resolve(false))
      .end(body);
  });
}
