/** A gRPC server on loopback whose answers a test gives, by the library's server side: for tests of our own clients. */
import { createSecureServer, createServer, type Http2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { DescService } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { Certificate } from './certificate.ts';

/** By the method's name as the service has it; what is not among them is answered with Unimplemented. */
export type Answers = Readonly<Record<string, (request: never, context: HandlerContext) => unknown>>;

export interface GrpcServer {
  readonly port: number;
  /** Every connection breaks; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

export async function serveGrpc(
  service: DescService,
  { answers, certificate }: { answers: Answers; certificate?: Certificate | undefined },
): Promise<GrpcServer> {
  const implementation = Object.fromEntries(
    service.methods.flatMap(({ name, localName }) =>
      answers[name] === undefined ? [] : [[localName, answers[name]]],
    ),
  );
  const routes = (router: ConnectRouter) => {
    router.service(service, implementation as never);
  };
  const adapter = connectNodeAdapter({ routes });
  const server = certificate === undefined ? createServer(adapter) : createSecureServer(certificate, adapter);
  const open = new Set<Http2Session>();
  server.on('session', (session) => {
    open.add(session);
    session.on('close', () => open.delete(session));
    session.on('error', () => {});
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const cut = () => {
    for (const session of open) session.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        cut();
      }),
  };
}
