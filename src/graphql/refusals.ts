import { GraphQLError, type GraphQLErrorOptions } from 'graphql';

/** What programs read of a refused request, in `extensions.code`. */
export type RefusalCode =
  | 'BAD_REQUEST'
  | 'BAD_USER_INPUT'
  | 'GRAPHQL_PARSE_FAILED'
  | 'GRAPHQL_VALIDATION_FAILED'
  | 'NOT_ACCEPTABLE'
  | 'OPERATION_NOT_FOUND'
  | 'OPERATION_TOO_LARGE'
  | 'TOO_MANY_OPERATIONS';

/** An error in our own words, as it may leave the server. */
export class Spoken extends GraphQLError {}

/**
 * Something is wrong with the request itself. It is said in our own words: no answer repeats what was sent, for that could be long,
 * secret, or made for whoever reads the answer. Where in the document it is, `locations` tell.
 */
export class Refusal extends Spoken {
  constructor(code: RefusalCode, message: string, { extensions, ...where }: GraphQLErrorOptions = {}) {
    super(message, { ...where, extensions: { code, ...extensions } });
  }
}

export const tooLarge = (message: string, where?: GraphQLErrorOptions) =>
  new Refusal('OPERATION_TOO_LARGE', message, where);

export const badRequest = (message: string, status = 400) =>
  new Refusal('BAD_REQUEST', message, { extensions: { http: { status } } });

export const operationNotFound = (extensions?: GraphQLErrorOptions['extensions']) =>
  new Refusal('OPERATION_NOT_FOUND', 'The document has no operation of this name, or several and none is named.', {
    extensions,
  });
