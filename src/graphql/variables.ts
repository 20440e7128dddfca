import {
  type GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  isInputType,
  type OperationDefinitionNode,
  typeFromAST,
  validateInputValue,
} from 'graphql';
import type { JsonObject } from './json.ts';
import { Refusal } from './refusals.ts';

/**
 * The first variable that is not what its operation declares; null: all are. Only then may anything else look at them: graphql-js
 * itself goes on after an error, up to fifty, and prints the whole input into each.
 */
export function wrongVariable(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: JsonObject,
): Refusal | null {
  const { errors } = getVariableValues(schema, variableDefinitions, given, { maxErrors: 1, hideSuggestions: true });
  if (!errors) return null;
  for (const [index, { variable, type }] of variableDefinitions.entries()) {
    const inputType = typeFromAST(schema, type);
    const name = variable.name.value;
    if (!isInputType(inputType)) continue;
    const wrong = firstError((report) =>
      validateInputValue(Object.hasOwn(given, name) ? given[name] : undefined, inputType, report, true),
    );
    if (wrong) return notOfType(index, wrong.path, wrong.error);
  }
  return notOfType(null, []);
}

type Path = readonly (string | number)[];
interface Found {
  readonly error: GraphQLError;
  readonly path: Path;
}

/** What a walk reports first; it goes no further. */
function firstError(walk: (report: (error: GraphQLError, path: Path) => void) => void): Found | null {
  let found: Found | null = null;
  const enough = new Error('enough');
  try {
    walk((error, path) => {
      found = { error, path };
      throw enough;
    });
  } catch (error) {
    if (error !== enough) throw error;
  }
  return found;
}

/** The path has only the schema's names in it: what an input does not know is told of the input itself. */
function notOfType(variable: number | null, path: Path, error?: GraphQLError): Refusal {
  const own = [error, error?.originalError].find((one) => one instanceof Refusal);
  return new Refusal('BAD_USER_INPUT', own?.message ?? 'A variable’s value is not one of its type.', {
    extensions: { variable, field: path.join('.') || null },
  });
}
