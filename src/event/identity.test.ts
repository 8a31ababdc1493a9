import { describe, expect, test } from 'vitest';
import { identityOf } from './identity.ts';

describe('the identity of an event_uuid', () => {
  test.each([
    ['0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70', '0190b6a27c4e7d3a8f102b3c4d5e6f70'],
    ['0190B6A2-7C4E-7D3A-8F10-2B3C4D5E6F70', '0190b6a27c4e7d3a8f102b3c4d5e6f70'],
    ['00000000-0000-0000-0000-000000000000', '00000000000000000000000000000000'],
    ['ffffffff-ffff-ffff-ffff-ffffffffffff', 'ffffffffffffffffffffffffffffffff'],
  ])('that is a UUID is its own value in either case: %s', (uuid, identity) => {
    expect(identityOf(uuid)).toBe(identity);
  });

  // The right side is `printf '%s' … | sha256sum | cut -c1-32`.
  test.each([
    ['abc', 'ba7816bf8f01cfea414140de5dae2223'],
    ['42', '73475cb40a568e8da8a045ced110137e'],
    ['käse', '28f37578d68271283cefa0f170127d2e'],
  ])('that is any other text is the beginning of its SHA-256: %s', (text, identity) => {
    expect(identityOf(text)).toBe(identity);
  });

  test.each([
    '0190b6a27c4e7d3a8f102b3c4d5e6f70',
    '{0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70}',
    ' 0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70',
    '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f70\n',
    '0190b6a2-7c4e-7d3a-8f10-2b3c4d5e6f7g',
  ])('that only looks like a UUID is not taken for it: %j', (text) => {
    expect(identityOf(text)).not.toBe('0190b6a27c4e7d3a8f102b3c4d5e6f70');
  });

  test('that differs in case only is another one unless it is a UUID', () => {
    expect(identityOf('Order-7')).not.toBe(identityOf('order-7'));
  });
});
