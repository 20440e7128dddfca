import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import {
  buildSchema,
  GraphQLBoolean,
  GraphQLInt,
  type GraphQLSchema,
  type GraphQLType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isRequiredInputField,
  Kind,
  parse,
  typeFromAST,
  valueFromASTUntyped,
} from 'graphql';

const contract = new URL('../../schema/schema.graphql', import.meta.url);
const operationsFolder = new URL('../../schema/operations/', import.meta.url);

/** The operations that clients copy: a document a file, by the file's name. */
export function operationDocuments(): ReadonlyMap<string, string> {
  const files = readdirSync(operationsFolder).filter((file) => file.endsWith('.graphql'));
  return new Map(files.sort().map((file) => [file, readFileSync(new URL(file, operationsFolder), 'utf8')]));
}

/** Everything the page needs is inside it; the policy keeps it from asking any other host. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'unsafe-inline' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'font-src data:',
  'img-src data: blob:',
  "connect-src 'self' ws: wss:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Whether a request is a browser that wants a page rather than a result. */
export const wantsPage = (request: IncomingMessage): boolean =>
  request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');

/** Serves GraphiQL: rendered and compressed once (its page is 9 MB), revalidated by browsers. */
export function graphiqlPage(): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let encoded: Promise<{ br: Buffer; gzip: Buffer; etag: string }> | undefined;
  return async (request, response) => {
    encoded ??= encodePage();
    const page = await encoded;
    response.setHeader('etag', page.etag);
    response.setHeader('cache-control', 'private, no-cache');
    response.setHeader('vary', 'accept, accept-encoding');
    if (request.headers['if-none-match'] === page.etag) {
      response.writeHead(304).end();
      return;
    }
    const encoding = /\bbr\b/.test(String(request.headers['accept-encoding'])) ? 'br' : 'gzip';
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-encoding': encoding,
      'content-security-policy': contentSecurityPolicy,
    });
    response.end(page[encoding]);
  };
}

async function encodePage() {
  const schema = buildSchema(readFileSync(contract, 'utf8'));
  const tabs = [...operationDocuments().values()].map((query) => ({ query, variables: blanks(query, schema) }));
  const rendered = renderGraphiQL({
    title: 'Homeroom',
    endpoint: '/graphql',
    subscriptionsProtocol: 'WS',
    credentials: 'same-origin',
    schemaDescription: true,
    shouldPersistHeaders: false,
    defaultTabs: tabs,
  });
  const page = withOneOperationAlone(rendered).replace(
    '<div id="root"></div>',
    (root) => `${root}${firstVisit(tabs[0]?.variables ?? '')}`,
  );
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(page, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    promisify(gzip)(page),
  ]);
  return { br, gzip: zipped, etag: `"${createHash('sha256').update(page).digest('base64url')}"` };
}

/**
 * Of a document with several operations the page sends the chosen one with the fragments of all, which no server accepts
 * ("Fragment … is never used"). So its function that chooses is given one that leaves the others' fragments out too.
 */
function withOneOperationAlone(page: string): string {
  const chooses = /\(n,e\)=>\{const t=n\.definitions\.filter\([^{}]{1,80}\);return\{kind:\w+,definitions:t\}\}/;
  if (!chooses.test(page)) throw new Error('GraphiQL’s page has changed: see whether it still sends unused fragments.');
  return page.replace(chooses, () => oneOperationAlone);
}

const oneOperationAlone = `(document, name) => {
  const find = (kind, name) => document.definitions.find((given) => given.kind === kind && given.name?.value === name);
  const wanted = new Set();
  const want = (definition) => {
    if (!definition || wanted.has(definition)) return;
    wanted.add(definition);
    JSON.stringify(definition, (_key, node) => {
      if (node?.kind === 'FragmentSpread') want(find('FragmentDefinition', node.name.value));
      return node;
    });
  };
  want(find('OperationDefinition', name));
  return wanted.size > 0 ? { ...document, definitions: [...wanted] } : document;
}`;

/** GraphiQL takes the first tab's variables from its storage alone: https://github.com/graphql/graphiql/issues/3392 */
const firstVisit = (variables: string): string => `<script>
  if (!localStorage.getItem('graphiql:tabState')) localStorage.setItem('graphiql:variables', ${JSON.stringify(variables)});
</script>`;

/**
 * A form of variables to fill in: a document's defaults, and blanks for whatever its operations demand. All of them share
 * it, since GraphiQL has one set of variables a tab and servers pass over those that an operation does not declare.
 */
function blanks(query: string, schema: GraphQLSchema): string {
  const form: Record<string, unknown> = {};
  for (const definition of parse(query).definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    for (const { variable, type, defaultValue } of definition.variableDefinitions ?? []) {
      if (variable.name.value in form) continue;
      if (defaultValue) form[variable.name.value] = valueFromASTUntyped(defaultValue);
      else if (type.kind === Kind.NON_NULL_TYPE) form[variable.name.value] = blank(typeFromAST(schema, type));
    }
  }
  return JSON.stringify(form, null, 2);
}

function blank(type: GraphQLType | undefined): unknown {
  const given = getNullableType(type);
  if (isListType(given)) return [];
  if (isEnumType(given)) return given.getValues()[0]?.name;
  if (isInputObjectType(given)) {
    const required = Object.values(given.getFields()).filter(isRequiredInputField);
    return Object.fromEntries(required.map((field) => [field.name, blank(field.type)]));
  }
  return given === GraphQLBoolean ? false : given === GraphQLInt ? 0 : '';
}
