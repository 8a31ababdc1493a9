/** A way to a server on loopback that breaks at a chosen byte, so that what is under way then is always the same. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Bytes that clients have sent since the proxy was opened. */
  readonly sent: number;
  /** Runs once, when clients have sent so many bytes more. */
  after(bytes: number, act: () => void): void;
  /** Every connection breaks, on both sides; new ones are taken. */
  cut(): void;
  /** The connections that are there stay, and carry nothing more, as when a network is gone; new ones are taken. */
  mute(): void;
  close(): Promise<void>;
}

export async function openTcpProxy(upstream: number): Promise<TcpProxy> {
  const open = new Set<Socket>();
  const mutes = new Set<() => void>();
  let sent = 0;
  let planned: { at: number; act: () => void } | undefined;
  const passing = (bytes: number) => {
    sent += bytes;
    if (planned === undefined || sent < planned.at) return;
    const { act } = planned;
    planned = undefined;
    act();
  };
  const server = createServer((client) => {
    const behind = connect(upstream, '127.0.0.1');
    for (const [socket, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      behind.write(chunk);
      passing(chunk.length);
    });
    behind.pipe(client);
    mutes.add(() => {
      behind.unpipe(client);
      client.removeAllListeners('data').resume();
      behind.resume();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get sent() {
      return sent;
    },
    after: (bytes, act) => {
      planned = { at: sent + bytes, act };
    },
    cut,
    mute() {
      for (const mute of mutes) mute();
      mutes.clear();
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        cut();
      }),
  };
}
