/**
 * Constants and casts. What a value is before its cast is not in the parse tree, and the engines round differently by
 * it: `typeof` is a constant to Spark, which keeps only the branch that is right, but checks the types of all of them.
 */
import { literal } from '../spark/connect/statements.ts';
import type { ColumnType, Expression } from './parse-tree.ts';

const INTEGERS: Readonly<Record<string, string>> = {
  TINYINT: 'tinyint',
  SMALLINT: 'smallint',
  INTEGER: 'int',
  BIGINT: 'bigint',
};

const TYPES: Readonly<Record<string, string>> = {
  BOOLEAN: 'boolean',
  FLOAT: 'float',
  DOUBLE: 'double',
  DATE: 'date',
  TIMESTAMP: 'timestamp_ntz',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
};

/** Undefined for a type that is not portable. */
export function constantSql({ value }: Expression): string | undefined {
  if (value.is_null) return 'null';
  const { id, type_info } = value.type;
  const plain =
    typeof value.value === 'number' || typeof value.value === 'bigint' ? String(value.value) : undefined;
  if (id === 'VARCHAR') return literal(String(value.value));
  if (id === 'BOOLEAN') return String(value.value);
  if (plain === undefined) return undefined;
  if (id === 'INTEGER') return plain.startsWith('-') ? `(${plain})` : plain;
  if (id === 'BIGINT') return `(${plain}L)`;
  if (id === 'DOUBLE') return `(${plain}D)`;
  return id === 'DECIMAL' ? decimalSql(plain, type_info?.scale ?? 0) : undefined;
}

function decimalSql(digits: string, scale: number): string {
  const negative = digits.startsWith('-');
  const all = digits.replace('-', '').padStart(scale + 1, '0');
  const whole = all.slice(0, all.length - scale);
  return `(${negative ? '-' : ''}${whole}${scale === 0 ? '' : `.${all.slice(-scale)}`}BD)`;
}

interface Cast {
  value: string;
  /** It is known to be text. */
  isText: boolean;
}

/** Undefined for a type that is not portable. */
export function castText({ cast_type, child, try_cast }: Expression, cast: Cast): string | undefined {
  const to = try_cast ? 'try_cast' : 'cast';
  const integer = INTEGERS[cast_type.id];
  if (integer !== undefined) return integerText(cast, { to, type: integer });
  if (cast_type.id === 'DECIMAL') return decimalText(cast, { to, type: cast_type });
  if (cast_type.id === 'VARCHAR') return cast.isText ? cast.value : textOf(cast.value);
  if (cast_type.id === 'INTERVAL') return intervalText(child);
  const type = TYPES[cast_type.id];
  return type && `${to}(${cast.value} as ${type})`;
}

interface Target {
  to: string;
  type: string;
}

/** Text and decimals round half away from zero, doubles half to even. */
function integerText({ value, isText }: Cast, { to, type }: Target): string {
  const fromText = `${to}(round(${to}(${value} as decimal(38, 9)), 0) as ${type})`;
  if (isText) return fromText;
  return `(case when typeof(${value}) in ('float', 'double') then ${to}(rint(cast(${value} as double)) as ${type})
    when typeof(${value}) = 'string' or startswith(typeof(${value}), 'decimal') then ${fromText}
    else ${to}(${value} as ${type}) end)`;
}

/** Of a double the product with the power of ten is rounded, in doubles. */
function decimalText({ value, isText }: Cast, { to, type }: { to: string; type: ColumnType }): string {
  const { width = 18, scale = 3 } = type.type_info ?? {};
  const decimal = `decimal(${width}, ${scale})`;
  const plain = `${to}(${value} as ${decimal})`;
  if (isText) return plain;
  const scaled = `${to}(round(cast(${value} as double) * 1e${scale}D) as decimal(38, 0))`;
  return `(case when typeof(${value}) in ('float', 'double')
    then ${to}(${scaled} / 1e${scale}BD as ${decimal}) else ${plain} end)`;
}

const COLUMN_TYPES: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  string: 'VARCHAR',
};

/** A value as a column of this type of Iceberg, as a cast of DuckDB's makes it. */
export function columnText(value: string, type: unknown): string {
  const [, width, scale] = /^decimal\((\d+), ?(\d+)\)$/.exec(String(type)) ?? [];
  if (width !== undefined) {
    const type_info = { width: Number(width), scale: Number(scale) };
    return decimalText({ value, isText: false }, { to: 'cast', type: { id: 'DECIMAL', type_info } });
  }
  const id = COLUMN_TYPES[String(type)];
  const cast = { cast_type: { id, type_info: null }, try_cast: false, child: null } as unknown as Expression;
  const text = id === undefined ? undefined : castText(cast, { value, isText: false });
  return text ?? `cast(${value} as ${String(type)})`;
}

const NO_TEXT_OF_DOUBLES =
  'a double or float cast to varchar is written differently by the engines; cast it to decimal first';

function textOf(value: string): string {
  return `(case when typeof(${value}) in ('float', 'double', 'binary') then raise_error(${literal(NO_TEXT_OF_DOUBLES)})
    when typeof(${value}) = 'timestamp' then cast(${value} as string) || '+00' else cast(${value} as string) end)`;
}

/** `interval '3 hours'`, one number and one unit. */
function intervalText(child: Expression | null): string | undefined {
  const text = child?.class === 'CONSTANT' ? child.value.value : undefined;
  const [, count, unit] =
    /^\s*(\d+) (second|minute|hour|day|week|month|year)s?\s*$/i.exec(String(text)) ?? [];
  return count && `interval ${count} ${unit!.toLowerCase()}`;
}
