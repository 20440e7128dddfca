import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql';
import { demandModest, maxCharacters, maxTokens } from './limits.ts';
import { Refusal, tooLarge } from './refusals.ts';

/** @throws Refusal for a text that is not GraphQL, or too long */
export function parseDocument(text: string): DocumentNode {
  if (text.length > maxCharacters) throw tooLarge(`A document may have ${maxCharacters} characters.`);
  try {
    return parse(text, { maxTokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { source, positions } = error;
    if (error.message.includes(`${maxTokens} tokens`)) throw tooLarge(`A document may have ${maxTokens} tokens.`);
    throw new Refusal('GRAPHQL_PARSE_FAILED', 'The document is not GraphQL from here on.', { source, positions });
  }
}

/** The first thing that is wrong with a document; null: nothing. */
export function refusalOf(schema: GraphQLSchema, document: DocumentNode, introspection: boolean): Refusal | null {
  const rules = introspection ? spokenRules : [...spokenRules, withoutIntrospection];
  try {
    demandModest(schema, document);
    const [given] = validate(schema, document, rules, { hideSuggestions: true });
    // Ours end it by themselves; what is left is that a rule gave up, and what it did not look at must not be executed.
    return given ? tooLarge('Comparing the fields of the document takes too long: ask for each but once.') : null;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** What it says when one of the language's rules is broken: the rules' own messages repeat the document. */
const sentences: Readonly<Record<string, string>> = {
  ExecutableDefinitionsRule: 'A document has operations and fragments only.',
  KnownOperationTypesRule: 'There is no operation of this kind.',
  UniqueOperationNamesRule: 'Two operations have one name.',
  LoneAnonymousOperationRule: 'An operation without a name must be the only one.',
  SingleFieldSubscriptionsRule: 'A subscription has one root field.',
  KnownTypeNamesRule: 'There is no type of this name.',
  FragmentsOnCompositeTypesRule: 'A fragment is on a type that has fields.',
  VariablesAreInputTypesRule: 'A variable’s type is an input type.',
  ScalarLeafsRule: 'Fields that hold objects need a selection, and others have none.',
  FieldsOnCorrectTypeRule: 'The type has no field of this name.',
  UniqueFragmentNamesRule: 'Two fragments have one name.',
  KnownFragmentNamesRule: 'There is no fragment of this name.',
  NoUnusedFragmentsRule: 'A fragment is not used.',
  PossibleFragmentSpreadsRule: 'Nothing here can be of the fragment’s type.',
  NoFragmentCyclesRule: 'A fragment spreads itself.',
  UniqueVariableNamesRule: 'Two variables have one name.',
  NoUndefinedVariablesRule: 'A variable is not declared.',
  NoUnusedVariablesRule: 'A variable is not used.',
  KnownDirectivesRule: 'There is no such directive in this place.',
  UniqueDirectivesPerLocationRule: 'A directive stands twice in one place.',
  KnownArgumentNamesRule: 'There is no argument of this name.',
  UniqueArgumentNamesRule: 'An argument is given twice.',
  ValuesOfCorrectTypeRule: 'The value is not one of its type.',
  ProvidedRequiredArgumentsRule: 'A required argument is missing.',
  VariablesInAllowedPositionRule: 'The variable’s type does not fit where it is used.',
  OverlappingFieldsCanBeMergedRule: 'Two fields of one name ask for different things: use aliases.',
  UniqueInputFieldNamesRule: 'A field of an input is given twice.',
  MaxIntrospectionDepthRule: 'Introspection is nested too deeply.',
  NoSchemaIntrospectionCustomRule: 'This server does not tell its schema: introspection is off.',
};
const otherwise = 'The document breaks a rule of the language.';

/** A rule whose first error ends the validation, in our words. */
const spoken = (rule: ValidationRule): ValidationRule => {
  const sentence = sentences[rule.name] ?? otherwise;
  return (context) => {
    const reportError = ({ nodes }: GraphQLError): never => {
      throw new Refusal('GRAPHQL_VALIDATION_FAILED', sentence, { nodes });
    };
    return rule(Object.create(context, { reportError: { value: reportError } }));
  };
};

const spokenRules = specifiedRules.map(spoken);
const withoutIntrospection = spoken(NoSchemaIntrospectionCustomRule);
