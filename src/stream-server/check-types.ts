import { decodedLength } from './base64.ts';
import type { Member, Shape } from './input-shapes.ts';
import { ServiceError } from './service-error.ts';

const INTEGER_MAX = 2 ** 31 - 1;

/**
 * The first of the service's two layers: a value of another type than the model's is a SerializationException. The
 * result has the members that the model knows, with numbers as the service rounds them; null counts as absent.
 */
export function checkTypes(input: object, shape: Shape): Record<string, unknown> {
  const checked: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(shape)) {
    const value = Object.hasOwn(input, name) ? (input as Record<string, unknown>)[name] : undefined;
    if (value !== undefined && value !== null) checked[name] = checkType(value, member);
  }
  return checked;
}

function checkType(value: unknown, member: Member): unknown {
  switch (member.type) {
    case 'List':
      if (!isContainer(value)) throw wrongType('Expected list or null');
      if (!Array.isArray(value)) throw noStructure();
      return value.map((item) => (item === null ? null : checkType(item, member.of)));
    case 'Map':
      if (!isContainer(value)) throw wrongType('Expected map or null');
      if (Array.isArray(value)) throw noList();
      return texts(value);
    case 'Structure':
      if (!isContainer(value)) throw wrongType('Expected null');
      if (Array.isArray(value)) throw noList();
      return checkTypes(value, member.members);
    default:
      if (member.type === 'Blob' && value instanceof Uint8Array) return value;
      if (isContainer(value)) throw Array.isArray(value) ? noList() : noStructure();
      return checkScalar(value as string | number | boolean | Uint8Array, member.type);
  }
}

function texts(map: object): Record<string, string> {
  const member: Member = { type: 'String' };
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => [key, checkType(value ?? '', member) as string]),
  );
}

type Scalar = Exclude<Member['type'], 'List' | 'Map' | 'Structure'>;

const TARGET: Record<Scalar, string> = {
  String: 'an String',
  Integer: 'an Integer',
  Boolean: 'an Boolean',
  Blob: 'a Blob',
  Timestamp: 'milliseconds since epoch',
};

const WANTED: Record<Scalar, 'string' | 'number' | 'boolean'> = {
  String: 'string',
  Integer: 'number',
  Boolean: 'boolean',
  Blob: 'string',
  Timestamp: 'number',
};

function checkScalar(value: string | number | boolean | Uint8Array, type: Scalar): unknown {
  if (typeof value !== WANTED[type]) {
    const given =
      type === 'Boolean' && typeof value === 'string' ? `'${value.toUpperCase()}'` : javaClass(value);
    throw wrongType(`${given} can not be converted to ${TARGET[type]}`);
  }
  if (type === 'Integer') return Math.min(Math.floor(value as number), INTEGER_MAX);
  if (type === 'Blob') checkBlob(value as string);
  return value;
}

function javaClass(value: string | number | boolean | Uint8Array): string {
  if (value instanceof Uint8Array) return 'class java.nio.HeapByteBuffer';
  if (typeof value === 'number') return 'class com.amazon.coral.value.json.numbers.TruncatingBigNumber';
  return typeof value === 'boolean' ? 'class java.lang.Boolean' : 'class java.lang.String';
}

export function checkBlob(text: string): void {
  if (decodedLength(text) !== undefined) return;
  const why =
    text.length % 4 === 0
      ? 'Invalid Base64 character'
      : `Base64 encoded length is expected a multiple of 4 bytes but found: ${text.length}`;
  throw wrongType(`'${text.slice(0, 100)}' can not be converted to a Blob: ${why}`);
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && !(value instanceof Uint8Array);
}

function noList(): ServiceError {
  return wrongType('Start of list found where not expected');
}

function noStructure(): ServiceError {
  return wrongType('Start of structure or map found where not expected.');
}

function wrongType(message: string): ServiceError {
  return new ServiceError('SerializationException', message);
}
