import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openExchange } from './http-exchange.ts';

/** Answers with the bytes that it is asked for. */
async function echo() {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      response.setHeader('content-length', body.length);
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = new URL(`http://127.0.0.1:${port}/`);
  const exchange = openExchange({ endpoint, connect_ms: 5_000, read_ms: 30_000 });
  onTestFinished(() => {
    exchange.close();
    server.close();
  });
  return exchange;
}

test('the bytes of a body that was given back hold a later one, of its own length', async () => {
  const exchange = await echo();
  const [long, short] = [Buffer.alloc(400_000, 'a'), Buffer.alloc(300_000, 'b')];
  const first = await exchange.post({}, long);
  expect(first.body.equals(long)).toBe(true);
  exchange.reuse(first.body.buffer);
  const second = await exchange.post({}, short);
  expect(second.body.buffer).toBe(first.body.buffer);
  expect(second.body.equals(short)).toBe(true);
});

test('a body that was not given back is nobody else’s, and one too long for what was is another', async () => {
  const exchange = await echo();
  const [long, short] = [Buffer.alloc(400_000, 'a'), Buffer.alloc(300_000, 'b')];
  const kept = await exchange.post({}, short);
  const given = await exchange.post({}, short);
  exchange.reuse(given.body.buffer);
  const longer = await exchange.post({}, long);
  expect(longer.body.buffer).not.toBe(given.body.buffer);
  expect(longer.body.equals(long)).toBe(true);
  expect(kept.body.equals(short)).toBe(true);
});
