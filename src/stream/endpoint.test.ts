import { expect, it } from 'vitest';
import { encodingOf, endpointOf, isAmazon } from './endpoint.ts';

it.each([
  ['eu-west-1', 'https://kinesis.eu-west-1.amazonaws.com/'],
  ['us-gov-west-1', 'https://kinesis.us-gov-west-1.amazonaws.com/'],
  ['cn-north-1', 'https://kinesis.cn-north-1.amazonaws.com.cn/'],
  ['eusc-de-east-1', 'https://kinesis.eusc-de-east-1.amazonaws.eu/'],
])('of %s is %s', (region, endpoint) => {
  expect(endpointOf({ region }).href).toBe(endpoint);
  expect(isAmazon(endpoint)).toBe(true);
});

it.each([
  ['https://kinesis-fips.us-east-1.amazonaws.com', true],
  ['https://vpce-0a1b-2c3d.kinesis.eu-west-1.vpce.amazonaws.com', true],
  ['https://123456789012.data-kinesis.eu-west-1.amazonaws.com', true],
  ['https://kinesis.eu-west-1.api.aws', true],
  ['https://kinesis.cn-north-1.api.amazonwebservices.com.cn', true],
  ['http://127.0.0.1:4567', false],
  ['https://amazonaws.com.example.org', false],
  ['https://notamazonaws.com', false],
])('%s is Amazon’s: %s', (endpoint, amazon) => {
  expect(isAmazon(endpoint)).toBe(amazon);
});

it.each([
  [{}, 'cbor'],
  [{ endpoint: 'https://kinesis.eu-west-1.api.aws' }, 'cbor'],
  [{ endpoint: 'https://kinesis.eu-west-1.api.aws', encoding: 'json' }, 'json'],
  [{ endpoint: 'http://127.0.0.1:4567' }, undefined],
  [{ endpoint: 'http://127.0.0.1:4567', encoding: 'cbor' }, 'cbor'],
] as const)('records of %j are asked for in %s', (options, encoding) => {
  expect(encodingOf(options)).toBe(encoding);
});
