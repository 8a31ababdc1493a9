import { expect, test } from 'vitest';
import { SMALL } from '../../../tests/support/small-lake.ts';
import type { Failure } from '../../base/base.ts';
import { evolveSchema, type SchemaStep } from './evolve-schema.ts';
import type { TableMetadata } from './metadata.ts';
import { newTable } from './next-metadata.ts';

const PLACE = { type: 'struct', fields: [{ id: 7, name: 'city', required: false, type: 'string' }] };

function tableWith(more: TableMetadata['schemas'][number]['fields'] = []): TableMetadata {
  const table = newTable(SMALL, { location: 'memory://lake/raw/events', uuid: 'u', now_ms: 1_000 });
  const [schema] = table.schemas;
  return {
    ...table,
    'last-column-id': 11,
    schemas: [{ ...schema!, fields: [...schema!.fields, ...more] }],
  };
}

const nested = tableWith([
  { id: 6, name: 'place', required: false, type: PLACE },
  {
    ...{ id: 8, name: 'stops', required: false },
    type: { type: 'list', 'element-id': 9, element: PLACE, 'element-required': false },
  },
]);

const names = (table: TableMetadata, ...steps: SchemaStep[]) =>
  evolveSchema(table, steps).fields.map(({ id, name }) => `${id} ${name}`);

test('columns keep their ids through every change, and new ones get ids that none ever had', () => {
  const table = tableWith();
  expect(
    names(
      table,
      { rename: 'kind', to: 'sort' },
      { add: 'kind', type: 'string' },
      { move: 'kind', to: 'first' },
      { move: 'id', to: { after: 'share' } },
      { move: 'sort', to: { before: 'at' } },
    ),
  ).toEqual(['12 kind', '3 sort', '2 at', '4 size', '5 share', '1 id']);
});

test('a type becomes wider, never narrower, and a column optional', () => {
  const { fields } = evolveSchema(tableWith(), [{ widen: 'size', to: 'long' }, { makeOptional: 'at' }]);
  expect(fields).toContainEqual({ id: 4, name: 'size', type: 'long', required: false });
  expect(fields).toContainEqual({ id: 2, name: 'at', type: 'timestamptz', required: false });
  const decimal = tableWith([{ id: 6, name: 'price', required: false, type: 'decimal(9, 2)' }]);
  expect(evolveSchema(decimal, [{ widen: 'price', to: 'decimal(18, 2)' }]).fields.at(-1)!.type).toBe(
    'decimal(18, 2)',
  );
  expect(() => evolveSchema(decimal, [{ widen: 'price', to: 'decimal(18, 3)' }])).toThrow(
    /cannot be changed/,
  );
  expect(() => evolveSchema(decimal, [{ widen: 'price', to: 'decimal(8, 2)' }])).toThrow(/cannot be changed/);
});

test('what lies inside structs, also those of lists, is changed by its path', () => {
  const { fields } = evolveSchema(nested, [
    { add: 'place.zip', type: 'string' },
    { add: 'stops.element.at', type: 'int' },
    { widen: 'stops.element.at', to: 'long' },
    { rename: 'place.city', to: 'town' },
    { add: 'tags', type: { type: 'list', 'element-id': 1, element: PLACE, 'element-required': false } },
  ]);
  const [place, stops, tags] = fields.slice(-3);
  expect(place!.type).toMatchObject({
    fields: [
      { id: 7, name: 'town' },
      { id: 12, name: 'zip' },
    ],
  });
  expect(stops!.type).toMatchObject({
    'element-id': 9,
    element: {
      fields: [
        { id: 7, name: 'city' },
        { id: 13, name: 'at', type: 'long' },
      ],
    },
  });
  expect(tags).toMatchObject({ id: 14, type: { 'element-id': 15, element: { fields: [{ id: 16 }] } } });
});

test.each<[string, SchemaStep]>([
  ['there is no such column', { rename: 'none', to: 'some' }],
  ['there is no such column', { makeOptional: 'place.none' }],
  ['there is a column kind already', { add: 'KIND', type: 'string' }],
  ['there is a column at already', { rename: 'kind', to: 'at' }],
  ['it is of type double, which cannot become float', { widen: 'share', to: 'float' }],
  ['it is of a nested type, which cannot become string', { widen: 'place', to: 'string' }],
  ['it is no struct, and has no columns inside', { add: 'kind.more', type: 'string' }],
])('a step that Iceberg does not allow says why: %s', (why, step) => {
  const failure = (() => {
    try {
      return evolveSchema(nested, [step]);
    } catch (error) {
      return error as Failure;
    }
  })();
  expect(failure).toMatchObject({
    code: 'lake.bad_evolution',
    fault: 'user',
    why: expect.stringContaining(why),
    hint: expect.any(String),
  });
});
