/** Shapes as TypeScript: names and fields in order, so that the same events give the same text. */
import { emptyShape, type Shape } from './shape.ts';

export interface NamedShape {
  /** Of the event. */
  name: string;
  shape: Shape;
}

export interface PrintOptions {
  header: readonly string[];
  /** As the shapes were learnt with: an object with more is a map. */
  fields: number;
}

export function typesText(named: readonly NamedShape[], { header, fields }: PrintOptions): string {
  const sorted = named.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const names = typeNames(sorted.map(({ name }) => name));
  const interfaces = sorted.map(
    ({ name, shape }, i) =>
      `/** \`${shown(name).replaceAll('*/', '* /').replaceAll('`', "'")}\` */\nexport type ${names[i]} = ${typeOf(shape, { fields, indent: '' })};\n`,
  );
  const all = sorted.map(({ name }, i) => `  ${shown(JSON.stringify(name))}: ${names[i]};\n`);
  return `${header.map((line) => `// ${line}\n`).join('')}
${interfaces.join('\n')}${interfaces.length === 0 ? '' : '\n'}/** The document of an event by its name. */
export interface Events {
${all.join('')}}
`;
}

/** Whoever sends events names them: no control character gets into the file. */
const shown = (text: string): string =>
  text.replace(/\p{Cc}/gu, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** `payment:order:completed` → PaymentOrderCompleted; where two come out the same, the later is numbered. */
function typeNames(names: readonly string[]): string[] {
  const taken = new Map<string, number>([['Events', 1]]);
  return names.map((name) => {
    const words = name.split(/[^\p{L}\p{Mn}\p{Mc}\p{Nd}]+/u).filter((word) => word !== '');
    const joined = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
    const base = /^\p{L}/u.test(joined) ? joined : `Event${joined}`;
    const times = (taken.get(base) ?? 0) + 1;
    taken.set(base, times);
    return times === 1 ? base : `${base}_${times}`;
  });
}

interface Place {
  fields: number;
  indent: string;
}

function typeOf(shape: Shape, place: Place): string {
  const parts: string[] = [];
  if (shape.object !== undefined) parts.push(objectOf(shape.object, place));
  if (shape.array !== undefined) parts.push(arrayOf(shape.array, place));
  for (const scalar of ['string', 'number', 'boolean', 'null'] as const) {
    if (shape.scalars.has(scalar)) parts.push(scalar);
  }
  return shape.unknown || parts.length === 0 ? 'unknown' : parts.join(' | ');
}

function objectOf({ count, fields }: NonNullable<Shape['object']>, place: Place): string {
  if (fields.size > place.fields) {
    return `Record<string, ${typeOf([...fields.values()].reduce(merged, emptyShape()), place)}>`;
  }
  const inner = { ...place, indent: `${place.indent}  ` };
  const lines = [...fields]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => {
      const optional = field.count < count ? '?' : '';
      return `${inner.indent}${keyText(key)}${optional}: ${typeOf(field, inner)};\n`;
    });
  return lines.length === 0 ? 'Record<string, never>' : `{\n${lines.join('')}${place.indent}}`;
}

function arrayOf(elements: Shape, place: Place): string {
  const element = elements.count === 0 ? 'unknown' : typeOf(elements, place);
  return /^[a-z]+$/.test(element) ? `${element}[]` : `Array<${element}>`;
}

const keyText = (key: string): string => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key));

function merged(a: Shape, b: Shape): Shape {
  const array = [a.array, b.array].filter((each) => each !== undefined);
  const objects = [a.object, b.object].filter((each) => each !== undefined);
  const fields = new Map<string, Shape>();
  for (const object of objects) {
    for (const [key, field] of object.fields) fields.set(key, merged(fields.get(key) ?? emptyShape(), field));
  }
  return {
    count: a.count + b.count,
    scalars: new Set([...a.scalars, ...b.scalars]),
    ...(array.length > 0 && { array: array.reduce(merged) }),
    ...(objects.length > 0 && {
      object: { count: objects.reduce((sum, { count }) => sum + count, 0), fields },
    }),
    ...((a.unknown || b.unknown) && { unknown: true as const }),
  };
}
