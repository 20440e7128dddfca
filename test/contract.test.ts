import { readFileSync } from 'node:fs';
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  validate,
} from 'graphql';
import { expect, test } from 'vitest';
import { operationDocuments } from '../src/graphql/graphiql.ts';
import { schema } from '../src/schema.ts';
import { printed } from './support/print-schema.ts';

test('schema/schema.graphql is what the code prints', () => {
  expect(readFileSync(new URL('../schema/schema.graphql', import.meta.url), 'utf8')).toBe(printed);
});

test('every operation document is valid', () => {
  for (const [file, text] of operationDocuments()) {
    expect(validate(schema, parse(text)), file).toEqual([]);
  }
});

test('every root field has an operation document', () => {
  const used = new Set<string>();
  for (const text of operationDocuments().values()) {
    for (const definition of parse(text).definitions) {
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      for (const selection of definition.selectionSet.selections) {
        if (selection.kind === Kind.FIELD) used.add(`${definition.operation} ${selection.name.value}`);
      }
    }
  }
  const roots = {
    query: schema.getQueryType(),
    mutation: schema.getMutationType(),
    subscription: schema.getSubscriptionType(),
  };
  const fields = Object.entries(roots).flatMap(([kind, root]) =>
    Object.keys(root?.getFields() ?? {}).map((field) => `${kind} ${field}`),
  );
  expect(fields.filter((field) => !used.has(field))).toEqual([]);
});

test('every type, field, argument and enum value has a useful description', () => {
  const types = Object.values(schema.getTypeMap()).filter(
    ({ name }) => !name.startsWith('__') && !['String', 'Int', 'Float', 'Boolean', 'ID'].includes(name),
  );
  expect(types.flatMap(undescribed)).toEqual([]);
});

/** Everything of a type whose description is missing or says no more than the name. */
function undescribed(type: GraphQLNamedType): string[] {
  const things: { where: string; description: string | null | undefined }[] = [
    { where: type.name, description: type.description },
  ];
  if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      things.push({ where: `${type.name}.${field.name}`, description: field.description });
      for (const argument of 'args' in field ? field.args : []) {
        things.push({ where: `${type.name}.${field.name}(${argument.name})`, description: argument.description });
      }
    }
  }
  if (isEnumType(type)) {
    for (const value of type.getValues())
      things.push({ where: `${type.name}.${value.name}`, description: value.description });
  }
  return things.filter(({ description }) => !description || description.length < 4).map(({ where }) => where);
}
