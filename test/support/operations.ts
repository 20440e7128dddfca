import { type DefinitionNode, type DocumentNode, Kind, parse, print, visit } from 'graphql';
import { operationDocuments } from '../../src/graphql/graphiql.ts';

const documents = [...operationDocuments().values()].map((text) => parse(text));

/** The named operation of `schema/operations`, with the fragments it uses: what a client would send. */
export function operation(name: string): string {
  const cached = texts.get(name);
  if (cached) return cached;
  const document = documents.find((candidate) => find(candidate, Kind.OPERATION_DEFINITION, name));
  if (!document) throw new Error(`schema/operations has no operation ${name}`);
  const text = print({ kind: Kind.DOCUMENT, definitions: withFragments(document, name) });
  texts.set(name, text);
  return text;
}

const texts = new Map<string, string>();

function find(document: DocumentNode, kind: Kind, name: string): DefinitionNode | undefined {
  return document.definitions.find(
    (definition) => definition.kind === kind && 'name' in definition && definition.name?.value === name,
  );
}

function withFragments(document: DocumentNode, name: string): DefinitionNode[] {
  const wanted = new Set<DefinitionNode>();
  const want = (definition: DefinitionNode | undefined) => {
    if (!definition || wanted.has(definition)) return;
    wanted.add(definition);
    visit(definition, {
      FragmentSpread: (spread) => want(find(document, Kind.FRAGMENT_DEFINITION, spread.name.value)),
    });
  };
  want(find(document, Kind.OPERATION_DEFINITION, name));
  return [...wanted];
}
