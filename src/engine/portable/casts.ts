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
  const text = plainCast(cast, { to, cast_type, child });
  // What no cast makes of a number is null to DuckDB's try_cast; Spark makes seconds of a time, and a time of seconds.
  if (text === undefined || !try_cast || cast.isText || cast_type.id === 'VARCHAR') return text;
  const foreign = TIMES.includes(cast_type.id)
    ? "typeof(VALUE) in ('tinyint', 'smallint', 'int', 'bigint', 'float', 'double') or startswith(typeof(VALUE), 'decimal')"
    : "startswith(typeof(VALUE), 'timestamp')";
  return `(case when ${foreign.replaceAll('VALUE', () => cast.value)} then null else ${text} end)`;
}

const TIMES = ['DATE', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE'];

function plainCast(
  cast: Cast,
  { to, cast_type, child }: { to: string } & Pick<Expression, 'cast_type' | 'child'>,
): string | undefined {
  if (cast_type.id === 'VARCHAR') return cast.isText ? cast.value : textOf(cast.value);
  if (cast_type.id === 'INTERVAL') return intervalText(child);
  const given = (it: Cast): string | undefined => {
    const integer = INTEGERS[cast_type.id];
    if (integer !== undefined) return integerText(it, { to, type: integer });
    if (cast_type.id === 'DECIMAL') return decimalText(it, { to, type: cast_type });
    if (cast_type.id === 'FLOAT') return floatText(it, to);
    const type = TYPES[cast_type.id];
    return type && `${to}(${it.value} as ${type})`;
  };
  const mended = cast_type.id === 'BOOLEAN' ? unpadded : TIMES.includes(cast_type.id) ? momentOf : digitsOf;
  if (cast.isText) return given({ value: mended(cast.value), isText: true });
  const plain = given(cast);
  const ofText = given({ value: mended(`cast(${cast.value} as string)`), isText: true });
  return plain && `(case when typeof(${cast.value}) = 'string' then ${ofText} else ${plain} end)`;
}

/** DuckDB reads 1_000 as a thousand and 0x10 as sixteen; Spark reads 1f and 1d, as Java does. */
function digitsOf(text: string): string {
  const hexadecimal = ['0x', '0X', '0b', '0B'].map((mark) => `contains(${text}, '${mark}')`).join(' or ');
  const why = 'a text is a number in another base than ten';
  return `(case when contains(${text}, '_') then regexp_replace(${text}, '(?<=[0-9])_(?=[0-9])', '')
    when (${hexadecimal}) and ${text} rlike '^[ ]*[-+]?0[xXbB][0-9a-fA-F]+[ ]*$' then raise_error(${literal(why)})
    when ${text} rlike '[0-9.][fFdD][ ]*$' then '' else ${text} end)`;
}

/** Spark leaves out blanks around a truth. */
const unpadded = (text: string): string => `(case when ${text} rlike r'^\\s|\\s$' then '' else ${text} end)`;

/**
 * What is a date or a time to one engine alone (2026-01, 2026/01/31, today) is none, where DuckDB is the one that says
 * so, and fails where Spark is.
 */
function momentOf(text: string): string {
  const why = 'a text is a date or time that the engines read differently; write 2026-01-31 10:00:00+00';
  return `(case when ${text} is null or ${text} rlike r'${MOMENT}' or ${text} = 'epoch' then ${text}
    when ${text} rlike r'^ *[0-9]+[-/][0-9]+[-/][0-9]' then raise_error(${literal(why)}) else '' end)`;
}

const MOMENT =
  '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([ T]([01]?[0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( ?(Z|[+-][0-9]{2}(:[0-9]{2})?))?)?$';

/** What is larger than a float can be is infinite to Spark, an error to DuckDB; of a text it is infinite to both. */
function floatText({ value, isText }: Cast, to: string): string {
  const plain = `${to}(${value} as float)`;
  if (isText) return plain;
  const double = `abs(${to}(${value} as double))`;
  const isLarge = `typeof(${value}) = 'double' and ${double} > ${FLOAT_MOST} and ${double} < double('Infinity')`;
  const large = to === 'try_cast' ? 'null' : "raise_error('the number is larger than a float can be')";
  return `(case when ${isLarge} then ${large} else ${plain} end)`;
}

const FLOAT_MOST = '3.4028235677973366E38D';

interface Target {
  to: string;
  type: string;
}

/** Text and decimals round half away from zero, doubles half to even. */
function integerText({ value, isText }: Cast, { to, type }: Target): string {
  const fromText = `${to}(round(${to}(${value} as decimal(38, 9)), 0) as ${type})`;
  if (isText) return fromText;
  return `(case when typeof(${value}) in ('float', 'double') then ${to}(rint(cast(${value} as double)) as ${type})
    when startswith(typeof(${value}), 'decimal') then ${fromText}
    else ${to}(${value} as ${type}) end)`;
}

/**
 * Of a double the product with the power of ten is rounded, in doubles, and its digits are those of a whole number: exact
 * as far as 64 bits go. Beyond, the engines write other digits.
 */
function decimalText({ value, isText }: Cast, { to, type }: { to: string; type: ColumnType }): string {
  const { width = 18, scale = 3 } = type.type_info ?? {};
  const decimal = `decimal(${width}, ${scale})`;
  const plain = `${to}(${value} as ${decimal})`;
  if (isText) return plain;
  const scaled = `(cast(${value} as double) * 1e${scale}D)`;
  const isLarge = `abs(${scaled}) >= 9.2e18D and abs(${scaled}) < double('Infinity')`;
  const whole = `${to}(round(${scaled}) as bigint)`;
  const digits = `${to}(cast(${whole} as string) || 'E-${scale}' as ${decimal})`;
  const double =
    width <= DIGITS_OF_64_BITS
      ? digits
      : `(case when ${isLarge} then raise_error(${literal(NO_DIGITS)}) else ${digits} end)`;
  return `(case when typeof(${value}) in ('float', 'double') then ${double} else ${plain} end)`;
}

const DIGITS_OF_64_BITS = 18;
const NO_DIGITS =
  'a double with more than 18 digits becomes another decimal in DuckDB than in Spark; cast it to a decimal of fewer digits';

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

export function textOf(value: string): string {
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
