import { isObject, type JsonObject, parseJson } from './json.ts';
import { badRequest } from './refusals.ts';

const maxNameLength = 200;

/** What a request asks: GraphQL's own four parameters; whatever else was sent is not looked at. */
export interface Parameters {
  readonly query: string;
  readonly operationName?: string;
  readonly variables?: JsonObject;
  readonly extensions?: JsonObject;
}

/** The parameters of a GET's query string or of a POST's body. @throws Refusal */
export async function parametersOf(request: Request): Promise<Parameters> {
  if (request.method !== 'GET') return parametersIn(parseJson(await request.text()));
  const given = new URL(request.url, 'http://localhost').searchParams;
  const json = (name: string) => {
    const text = given.get(name);
    return text ? parseJson(text) : null;
  };
  return parametersIn({
    query: given.get('query'),
    operationName: given.get('operationName'),
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

/** @throws Refusal */
export function parametersIn(given: unknown): Parameters {
  if (!isObject(given)) throw badRequest('A request is one JSON object.');
  const { query, operationName, variables, extensions } = given;
  if (typeof query !== 'string') throw badRequest('A request has a document, `query`, as a text.');
  return {
    query,
    ...(operationName != null && { operationName: nameIn(operationName) }),
    ...(variables != null && { variables: objectIn('variables', variables) }),
    ...(extensions != null && { extensions: objectIn('extensions', extensions) }),
  };
}

function nameIn(value: unknown): string {
  if (typeof value === 'string' && value.length <= maxNameLength) return value;
  throw badRequest(`\`operationName\` is a text of at most ${maxNameLength} characters.`);
}

function objectIn(name: string, value: unknown): JsonObject {
  if (isObject(value)) return value;
  throw badRequest(`\`${name}\` is an object, or absent.`);
}
