/**
 * What values of JSON look like, learnt one after the other. The order in which they come makes no difference, and
 * memory is bounded: nothing of a value is kept but which kinds it had and which fields.
 */
export interface Shape {
  /** Values seen. */
  count: number;
  scalars: Set<'string' | 'number' | 'boolean' | 'null'>;
  object?: { count: number; fields: Map<string, Shape> };
  array?: Shape;
  /** Deeper than is looked at. */
  unknown?: true;
}

export interface ShapeLimits {
  depth: number;
  /** An object with more keys than this is a map from any key. */
  fields: number;
}

export const emptyShape = (): Shape => ({ count: 0, scalars: new Set() });

export function learn(shape: Shape, value: unknown, { depth, fields }: ShapeLimits): void {
  shape.count++;
  if (value === null) shape.scalars.add('null');
  else if (typeof value === 'string' || typeof value === 'boolean') shape.scalars.add(scalarOf(value));
  else if (typeof value !== 'object') shape.scalars.add('number');
  else if (depth === 0) shape.unknown = true;
  else if (Array.isArray(value)) {
    shape.array ??= emptyShape();
    for (const element of value) learn(shape.array, element, { depth: depth - 1, fields });
  } else learnObject(shape, value as Record<string, unknown>, { depth, fields });
}

const scalarOf = (value: string | boolean) => (typeof value === 'string' ? 'string' : 'boolean');

/** Beyond the limit further keys are only counted, so that a map with a million keys stays small. */
function learnObject(shape: Shape, value: Record<string, unknown>, { depth, fields }: ShapeLimits): void {
  shape.object ??= { count: 0, fields: new Map() };
  const { object } = shape;
  object.count++;
  for (const [key, inner] of Object.entries(value)) {
    let field = object.fields.get(key);
    if (field === undefined) {
      // One more than the limit says that it is a map; the rest shares a shape under a name that no sorting moves.
      const isFull = object.fields.size > fields;
      const name = isFull ? REST : key;
      field = object.fields.get(name) ?? emptyShape();
      object.fields.set(name, field);
    }
    learn(field, inner, { depth: depth - 1, fields });
  }
}

const REST = ' rest';
