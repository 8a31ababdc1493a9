/** Records on which two readers of JSON and of times could disagree. */
import { seededRandom } from '../support/seeded-random.ts';

const event = (more: string) => `{"event_uuid":"u","event_name":"a:b","created_at":1700000000${more}}`;
const created = (text: string) => `{"event_uuid":"u","event_name":"a:b","created_at":${text}}`;
const identified = (text: string) => `{"event_uuid":${text},"event_name":"a:b","created_at":1700000000}`;
const named = (text: string) => `{"event_uuid":"u","event_name":${text},"created_at":1700000000}`;

export const ODDITIES: readonly (string | Uint8Array)[] = [
  ...[
    '',
    ' ',
    '\n',
    '{',
    '}',
    '{}',
    '{ }',
    '[]',
    '[{}]',
    '{}{}',
    '{},{}',
    '{}]',
    '}]{',
    '"',
    '1',
    '-',
    'tru',
    'nul',
  ],
  ...[
    '\ufeff{}',
    '{}\u0000',
    '\u0000{}',
    '{}\u00a0',
    '\t\r\n {} \t\r\n',
    '\u000b{}',
    '1] [2',
    '{},"x"] ["',
    '[1,]',
  ],
  ...[
    "{'a':1}",
    '{a:1}',
    '{"a":1,}',
    '{"a":1,,"b":2}',
    '{"a" 1}',
    '{"a":}',
    '{"a"}',
    '{:1}',
    '{"a":1 "b":2}',
  ],
  ...[
    event(',"n":01'),
    event(',"n":1.'),
    event(',"n":.5'),
    event(',"n":+1'),
    event(',"n":-'),
    event(',"n":1e'),
  ],
  ...[event(',"n":1e5'), event(',"n":-0'), event(',"n":0.0e-0'), event(',"n":1E+400'), event(',"n":0x1')],
  ...[
    event(',"n":NaN'),
    event(',"n":-Infinity'),
    event(',"n":nan'),
    event(',"n":True'),
    event(',"n":undefined'),
  ],
  ...[
    event('/* c */'),
    event(' // c'),
    event(',"n":"/* no comment */"'),
    event(',"n":"NaN, ] }"'),
    event(',"n":";"'),
  ],
  ...[
    event(',"n":"\\x"'),
    event(',"n":"\\u12"'),
    event(',"n":"\\u12g4"'),
    event(',"n":"\\/\\b\\f\\n\\r\\t"'),
  ],
  ...[
    event(',"n":"\\ud800"'),
    event(',"n":"\\udc00"'),
    event(',"n":"\\ud83d\\ude00"'),
    event(',"n":"\\ud800\\u0041"'),
  ],
  ...[
    event(',"n":"\\\\ud800"'),
    event(',"n":"\\\\\\ud800"'),
    event(',"\\ud800":1'),
    event(',"n":"\\uD83D\\uDE00\\uD83D"'),
  ],
  ...[
    event(',"n":"a\tb"'),
    event(',"n":"a\nb"'),
    event(',"n":"a\u0001b"'),
    event(',"n":"a\u007fb"'),
    event(',"":1'),
  ],
  ...[event(`,"n":${'['.repeat(900)}${']'.repeat(900)}`), event(`,"n":"${'x'.repeat(100_000)}"`)],
  ...[event(`,"n":${'9'.repeat(400)}`), event(',"event_uuid":"second"'), event(',"n":{"a":1,"a":2}')],
  ...[
    identified('5'),
    identified('-5'),
    identified('5.0'),
    identified('5e3'),
    identified('true'),
    identified('{}'),
  ],
  ...[
    identified('"5"'),
    identified('" "'),
    identified('"\\u0000"'),
    identified('"a\\u0041"'),
    identified('[]'),
  ],
  ...[
    identified('9'.repeat(19)),
    identified('9'.repeat(60)),
    identified('-0'),
    identified('"\\"q\\""'),
    identified('0'),
  ],
  ...[
    named('":b"'),
    named('"a"'),
    named('":"'),
    named('"::"'),
    named('"a:"'),
    named('" :b"'),
    named('"a:b:c:d"'),
  ],
  ...[named('"\\u003ab"'), named('"a\\nb:c"'), named('true'), named('{}'), named('"\\t"'), named('0')],
  ...[created('0'), created('-1'), created('1e9'), created('1e300'), created('1e-300'), created('946684800')],
  ...[
    created('946684799.999'),
    created('1700000000.1234567'),
    created('"1700000000.5"'),
    created('" 1700000000"'),
  ],
  ...[
    created('"1700000000 "'),
    created('"+1700000000"'),
    created('"1_700_000_000"'),
    created('"0x65"'),
    created('"1d"'),
  ],
  ...[
    created('"NaN"'),
    created('"Infinity"'),
    created('"1e"'),
    created('true'),
    created('null'),
    created('""'),
  ],
  ...[
    created('"2023-11-14T22:13"'),
    created('"2023-11-14T22"'),
    created('"2023-11-14T"'),
    created('"2023-11-14Z"'),
  ],
  ...[created('"2023-11-14T22:13:20.123456Z"'), created('"2023-11-14T22:13:20.1Z"'), created('"2023-13-01"')],
  ...[
    created('"2023-02-29"'),
    created('"2024-02-29"'),
    created('"2023-11-14T24:00:00Z"'),
    created('"2023-11-14T22:60:00Z"'),
  ],
  ...[
    created('"2023-11-14T22:13:60Z"'),
    created('"2023-11-14T22:13:20+02"'),
    created('"2023-11-14T22:13:20 Z"'),
  ],
  ...[
    created('"2023-11-14T22:13:20 +02:00"'),
    created('"2023-11-14T22:13:20-1130"'),
    created('"2023-11-14T22:13:20+99:00"'),
  ],
  ...[
    created('"2023-11-14T22:13:20Europe/Berlin"'),
    created('"20231114"'),
    created('"2023-W46-2"'),
    created('"+2023-11-14"'),
  ],
  ...[
    created('"12023-11-14"'),
    created('"+12023-11-14T00:00:00Z"'),
    created('"0000-01-01"'),
    created('"1969-12-31"'),
  ],
  ...[
    created('"2023-1-4"'),
    created('"2023/11/14"'),
    created('"today"'),
    created('"now"'),
    created('"epoch"'),
  ],
  ...[
    '20.1234564Z',
    '20.1234567Z',
    '20.9999999Z',
    '20.000000999',
    '20.Z',
    '20,5',
    '20,',
    '20+00:99',
    '20-99:59',
  ].map((end) => created(`"2023-11-14T22:13:${end}"`)),
  ...[
    '24:00',
    '24:00:00.000',
    '24:00:00.001',
    '24:00:01',
    '24:01',
    '24:00+01:00',
    '25:00',
    '00:00-00:00',
    '00:00+1',
  ].map((end) => created(`"2023-12-31t${end}"`)),
  ...[
    [0xc3, 0x28],
    [0xed, 0xa0, 0x80],
    [0xc0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xef, 0xbf, 0xbe],
    [0xf4, 0x8f, 0xbf, 0xbf],
  ].map((bytes) => Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])),
];

const SPLICED = [
  ...'{}[]",:\\0123456789.-+eEtfn \t\n\u0000\ud83d\ude00é',
  '\\u',
  '\\ud800',
  'null',
  '""',
  '"event_uuid"',
];

/** Events with one to three characters put in, taken out or replaced; always the same. */
export function mutants(count: number): string[] {
  const random = seededRandom(11);
  const at = (most: number) => Math.floor(random() * most);
  const bases = [
    event(',"n":[1.5,true,null,{"a":"b\\n\\u00e9"}]'),
    created('"2023-11-14T22:13:20.5+02:00"'),
    identified('42'),
  ];
  return Array.from({ length: count }, () => {
    let text = bases[at(bases.length)]!;
    for (let changes = 1 + at(3); changes > 0; changes--) {
      const place = at(text.length + 1);
      const gone = at(2);
      text =
        text.slice(0, place) + (at(3) === 0 ? '' : SPLICED[at(SPLICED.length)]!) + text.slice(place + gone);
    }
    return text;
  });
}
