/** A fake REST catalog behind a real socket, on a port that is free. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeRest, SeenRequest } from './fake-rest.ts';

/** What becomes of an answer: whole, none at all, or half of it. */
export type Wire = 'whole' | 'cut' | 'half' | 'silent';

export interface FakeRestServer {
  readonly uri: string;
  wire: (request: SeenRequest) => Wire;
  close(): Promise<void>;
}

export async function serveFakeRest(fake: FakeRest): Promise<FakeRestServer> {
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const served: FakeRestServer = {
    uri,
    wire: () => 'whole',
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request: SeenRequest = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '', uri),
      headers: incoming.headers as Record<string, string>,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    const response = await fake.handle(request);
    const body = Buffer.from(await response.arrayBuffer());
    const wire = served.wire(request);
    if (wire === 'silent') return;
    if (wire === 'cut') return void incoming.socket.destroy();
    const hasBody = response.status !== 204 && response.status !== 304;
    outgoing.writeHead(response.status, {
      ...Object.fromEntries(response.headers),
      ...(hasBody && { 'content-length': body.length }),
    });
    if (wire === 'whole') return void outgoing.end(body);
    outgoing.write(body.subarray(0, body.length / 2), () => incoming.socket.destroy());
  }
  return served;
}
