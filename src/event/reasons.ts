/**
 * The one table of reasons why a record is no event. The engines' SQL, the docs page and the tests are made from it.
 * Order matters: the first reason whose condition holds is the verdict.
 *
 * `condition` is SQL that every engine understands, over facts that the engine provides per record:
 * `text` (the bytes as UTF-8, null when they are none) · `is_json`, `is_object` (booleans) · `uuid`, `name` (the
 * values as text, null when absent) · `uuid_is_id` (text or an integer literal) · `name_is_text` ·
 * `seconds` (created_at as Unix seconds, null when it is no point in time) · `min_seconds`, `max_seconds` (the limits
 * for this record, the latter from its own arrival).
 */
export interface Reason {
  code: string;
  /** SQL; see above. */
  condition: string;
  meaning: string;
  /** The condition, for people. */
  when: string;
  /** Records that get this verdict, as text or as bytes. */
  examples: readonly (string | Uint8Array)[];
}

export const REASONS = [
  {
    code: 'not_utf8',
    condition: 'text is null',
    meaning: 'The bytes are not UTF-8 text.',
    when: 'decoding the bytes as UTF-8 fails',
    examples: [new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  },
  {
    code: 'not_json',
    condition: 'not is_json',
    meaning: 'The text is not JSON (RFC 8259).',
    when: 'the text is cut off, plain, empty, has something after its end, uses an extension such as NaN or a trailing comma, or escapes half a character (\\ud800 alone), which no UTF-8 text can hold',
    examples: [
      '{"event_uuid":"a","event_na',
      'hello',
      '',
      '{"a":1} trailing',
      '{"event_uuid":"a",}',
      '{"a":NaN}',
    ],
  },
  {
    code: 'not_an_object',
    condition: 'not is_object',
    meaning: 'The JSON is not an object.',
    when: 'an array, null, a string, a number or a boolean stands at the top',
    examples: ['[1,2]', 'null', '"text"', '5', 'true'],
  },
  {
    code: 'no_event_uuid',
    condition: "uuid is null or uuid = ''",
    meaning: 'There is no event_uuid.',
    when: 'event_uuid is missing, null or ""',
    examples: [
      '{"event_name":"a:b","created_at":1700000000}',
      '{"event_uuid":null,"event_name":"a:b","created_at":1700000000}',
      '{"event_uuid":"","event_name":"a:b","created_at":1700000000}',
    ],
  },
  {
    code: 'bad_event_uuid',
    condition: 'not uuid_is_id',
    meaning: 'The event_uuid cannot be an identity.',
    when: 'event_uuid is neither text nor an integer',
    examples: [
      '{"event_uuid":1.5,"event_name":"a:b","created_at":1700000000}',
      '{"event_uuid":true,"event_name":"a:b","created_at":1700000000}',
      '{"event_uuid":["x"],"event_name":"a:b","created_at":1700000000}',
      '{"event_uuid":{"x":1},"event_name":"a:b","created_at":1700000000}',
    ],
  },
  {
    code: 'no_event_name',
    condition: "name is null or name = ''",
    meaning: 'There is no event_name.',
    when: 'event_name is missing, null or ""',
    examples: [
      '{"event_uuid":"u","created_at":1700000000}',
      '{"event_uuid":"u","event_name":null,"created_at":1700000000}',
      '{"event_uuid":"u","event_name":"","created_at":1700000000}',
    ],
  },
  {
    code: 'bad_event_name',
    condition: "not name_is_text or name like ':%'",
    meaning: 'The event_name has no type.',
    when: 'event_name is not text, or its first part is empty',
    examples: [
      '{"event_uuid":"u","event_name":5,"created_at":1700000000}',
      '{"event_uuid":"u","event_name":["a"],"created_at":1700000000}',
      '{"event_uuid":"u","event_name":":x","created_at":1700000000}',
    ],
  },
  {
    code: 'bad_created_at',
    condition: 'seconds is null',
    meaning: 'The created_at is no point in time.',
    when: 'created_at is missing, or neither a number, nor text of one, nor an ISO 8601 date and time',
    examples: [
      '{"event_uuid":"u","event_name":"a:b"}',
      '{"event_uuid":"u","event_name":"a:b","created_at":null}',
      '{"event_uuid":"u","event_name":"a:b","created_at":"yesterday"}',
      '{"event_uuid":"u","event_name":"a:b","created_at":"2024-02-30"}',
      '{"event_uuid":"u","event_name":"a:b","created_at":true}',
      '{"event_uuid":"u","event_name":"a:b","created_at":[1700000000]}',
    ],
  },
  {
    code: 'absurd_created_at',
    condition: 'not (seconds >= min_seconds and seconds <= max_seconds)',
    meaning: 'The created_at cannot be true.',
    when: 'created_at is before 2000-01-01, or more than 48 hours after the record arrived (both limits are options)',
    examples: [
      '{"event_uuid":"u","event_name":"a:b","created_at":-5}',
      '{"event_uuid":"u","event_name":"a:b","created_at":1e300}',
      '{"event_uuid":"u","event_name":"a:b","created_at":"50000-01-01T00:00:00Z"}',
      '{"event_uuid":"u","event_name":"a:b","created_at":"1999-12-31T23:59:59Z"}',
      '{"event_uuid":"u","event_name":"a:b","created_at":123456789012345678}',
    ],
  },
] as const satisfies readonly Reason[];

/** What a record that is judged can be rejected for. */
export type JudgedReason = (typeof REASONS)[number]['code'];

/** Not judged: the processor found out that the engine cannot take this record, and the stream has to go on. */
export const CRASHED_ENGINE = {
  code: 'crashed_engine',
  meaning: 'The engine failed on this record.',
  when: 'the engine failed three times on a batch, or took its process down with it, and then failed three times on this record alone; it was not looked into any further',
} as const;

export type ReasonCode = JudgedReason | typeof CRASHED_ENGINE.code;
