import { Kind, type SelectionSetNode, type ValidationRule } from 'graphql';
import { tooLarge } from './refusals.ts';

/** Tokens in one document; the parser stops there. */
export const maxTokens = 2_000;
/** Bytes of one request's body; the largest is an institution's roster in base64. */
export const maxBodyBytes = 1024 * 1024;
/** Bytes of one WebSocket message. */
export const maxSocketPayload = 64 * 1024;
const maxAliases = 30;
const maxRootFields = 20;
const maxDirectives = 100;

/** Refuses a document whose aliases could multiply its work, and one with too many root fields, in fragments or not. */
export const operationSize: ValidationRule = (context) => {
  const schema = context.getSchema();
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].map(
    (type) => type?.name,
  );
  let aliases = 0;
  let directives = 0;
  return {
    // Before anything below is looked at: validating so many fields would itself be the work that this is to prevent.
    Document({ definitions }) {
      const inFragments = definitions.map((definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION && roots.includes(definition.typeCondition.name.value)
          ? ownFields(definition.selectionSet)
          : 0,
      );
      const shared = inFragments.reduce((sum, count) => sum + count, 0);
      for (const definition of definitions) {
        if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
        if (ownFields(definition.selectionSet) + shared <= maxRootFields) continue;
        throw tooLarge(`A document may have ${maxRootFields} root fields.`);
      }
    },
    Directive() {
      if (++directives > maxDirectives) throw tooLarge(`A document may have ${maxDirectives} directives.`);
    },
    Field(node) {
      if (node.alias && ++aliases > maxAliases) throw tooLarge(`A document may have ${maxAliases} aliases.`);
    },
  };
};

/** The fields of a selection itself, those in inline fragments among them. */
function ownFields({ selections }: SelectionSetNode): number {
  return selections.reduce((sum, selection) => {
    if (selection.kind === Kind.INLINE_FRAGMENT) return sum + ownFields(selection.selectionSet);
    return selection.kind === Kind.FIELD ? sum + 1 : sum;
  }, 0);
}
