import { GraphQLError, type ValidationRule } from 'graphql';

/** Tokens in one document; the parser stops there. */
export const maxTokens = 2_000;
/** Bytes of one request's body. */
export const maxBodyBytes = 256 * 1024;
/** Bytes of one WebSocket message. */
export const maxSocketPayload = 64 * 1024;
const maxAliases = 30;
const maxRootFields = 20;

/** Refuses a document whose aliases could multiply its work, and one with too many root fields. */
export const aliasLimit: ValidationRule = (context) => {
  let aliases = 0;
  return {
    Field(node) {
      if (node.alias && ++aliases === maxAliases + 1) context.reportError(tooMany(`${maxAliases} aliases`));
    },
    OperationDefinition(node) {
      if (node.selectionSet.selections.length > maxRootFields)
        context.reportError(tooMany(`${maxRootFields} root fields`));
    },
  };
};

const tooMany = (limit: string) =>
  new GraphQLError(`At most ${limit} in one document.`, { extensions: { code: 'OPERATION_TOO_LARGE' } });
