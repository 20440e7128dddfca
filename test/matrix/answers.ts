import type { Json, TestClient } from '../support/client.ts';
import { operation } from '../support/operations.ts';

/** What a named query is answered: the error's code, or what `read` makes of the data. */
export async function reads(
  who: TestClient,
  name: string,
  variables: object,
  read: (data: Json) => string | Promise<string>,
): Promise<string> {
  const { data, errors } = await who.send(operation(name), variables);
  return errors?.[0] ? codeOf(errors[0]) : read(data);
}

/** What a named mutation is answered: the error's code, or OK when the result is as `expected`. */
export async function does(
  who: TestClient,
  name: string,
  variables: object = {},
  expected: (result: Json) => boolean = () => true,
): Promise<string> {
  return reads(who, name, variables, (data) => {
    const [result] = Object.values<Json>(data);
    return result?.code ?? (expected(result) ? 'OK' : `done, but as ${JSON.stringify(result)}`);
  });
}

/**
 * What a named subscription is answered: the error's code, the code of a socket that is refused, or OK when it delivers
 * the event that `cause` brings about.
 */
export async function follows(
  who: TestClient,
  name: string,
  variables: object,
  event: string,
  cause: () => Promise<unknown>,
): Promise<string> {
  // From a place before the cause, so that it does not matter which of the two is there first.
  const after = who.token ? (await who.run('Viewer')).viewer.cursor : undefined;
  await using stream = who.subscribe(name, { ...variables, after });
  const [delivered] = await Promise.all([stream.nextOf(event).catch(() => null), cause()]);
  if (delivered) return 'OK';
  if (stream.errors[0]) return codeOf(stream.errors[0]);
  const end = await Promise.race([stream.done, null]);
  return end?.closed ? String(end.closed.code) : `delivered only ${JSON.stringify(stream.delivered)}`;
}

const codeOf = (error: Json): string => error.extensions?.code ?? error.message;

/** NULL, or OK. */
export const found = (value: Json): string => (value === null ? 'NULL' : 'OK');

/** Whether a thing is found by its id. */
export const node = (who: TestClient, id: string): Promise<string> =>
  reads(who, 'Node', { id }, (data) => found(data.node));

/**
 * What a subscription, named or as it is written, has delivered when something that happens last has come, which `cause` brings
 * about and names; or why it delivers nothing. It follows from now on, unless `variables` have a place.
 */
export async function hears(
  who: TestClient,
  name: string,
  variables: { readonly after?: string; readonly [name: string]: unknown },
  cause: () => Promise<string>,
  read: (delivered: readonly Json[]) => string,
  isIt = (event: Json, last: string): boolean => event.post?.id === last,
): Promise<string> {
  const after = variables.after ?? (who.token ? (await who.run('Viewer')).viewer.cursor : undefined);
  const following = { ...variables, after };
  await using stream = name.includes('{') ? who.listen(name, following) : who.subscribe(name, following);
  const last = cause();
  try {
    while (!isIt(await stream.next(), await last));
    return read(stream.delivered);
  } catch {
    await last;
    if (stream.errors[0]) return codeOf(stream.errors[0]);
    const end = await Promise.race([stream.done, null]);
    return end?.closed ? String(end.closed.code) : `delivered only ${JSON.stringify(stream.delivered)}`;
  }
}
