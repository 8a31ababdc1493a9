/**
 * The embedded stream: a durable server that speaks Kinesis' protocol. An acknowledged put survives `kill -9` and
 * power loss; a record is readable only once it is durable; records are never dropped for want of room.
 */
import type { Clock, Log } from '../base/base.ts';
import { nodeFiles } from './log-files.ts';
import { serve } from './serve.ts';

export { SERVER_ID_HEADER } from './exchange.ts';

export interface StreamServerOptions {
  /** Made when it is not there. */
  folder: string;
  /** Default 127.0.0.1. */
  host?: string;
  /** 0: any free one. */
  port: number;
  region: string;
  /** Default 000000000000. */
  accountId?: string;
  /** What all streams together may hold on disk; beyond it puts are refused. */
  maxBytes: number;
  retention_ms: number;
  /** `on`: a shard takes and gives no more than one of Amazon's. Default off. */
  limits?: 'off' | 'on';
  clock: Clock;
  log: Log;
  held?: HeldPositions;
}

/**
 * Per shard id, the number of the last record that the lake fed by this server has committed, or `end`: retention
 * never trims past it, and nothing of a shard that the map does not name. Undefined: not known, so nothing is trimmed.
 * `none`: no lake reads this stream, so time alone decides. Left out of the options, nothing is known of any stream.
 */
export type HeldPositions = (stream: {
  name: string;
  arn: string;
  createdAt_ms: number;
}) => ReadonlyMap<string, string> | 'none' | undefined;

export interface StreamServer {
  /** `http://host:port` */
  endpoint: string;
  port: number;
  /** Of this server alone, as long as it is open. */
  id: string;
  /** Answers what is under way, then stops. */
  close(): Promise<void>;
}

/** Fails with `stream_server.port_taken` or, when another server has the folder open, `stream_server.in_use`. */
export function openStreamServer(options: StreamServerOptions): Promise<StreamServer> {
  return serve(options, { files: nodeFiles });
}
