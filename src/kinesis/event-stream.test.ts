import { expect, test } from 'vitest';
import { encodeEvent } from './event-stream.ts';

test('a message is laid out as the specification’s own example', () => {
  // `payload_one_str_header` of the published test vectors.
  const message = encodeEvent({ 'content-type': 'application/json' }, Buffer.from("{'foo':'bar'}"));
  expect(message.toString('hex')).toBe(
    '0000003d0000002007fd83960c636f6e74656e742d7479706507001061' +
      '70706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1',
  );
});

test('a message may have neither headers nor payload', () => {
  expect(encodeEvent({}, Buffer.alloc(0)).toString('hex')).toBe('000000100000000005c248eb7d98c8ff');
});
