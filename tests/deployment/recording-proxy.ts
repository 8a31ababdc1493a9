/**
 * Between the program and an emulator: which action of IAM each signed request needs, by who signed it, and which of them
 * the emulator refused. The host that was signed goes on unchanged, so that signatures hold.
 */
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RecordingProxy {
  readonly endpoint: string;
  /** Actions that requests signed with this access key needed, sorted. */
  actionsOf(accessKeyId: string): string[];
  /** Those among them that were denied, since they were forgotten. */
  refusedTo(accessKeyId: string): string[];
  forgetRefusals(): void;
  /** While `work` is done, no part of an upload arrives: each is answered with an error that no retry helps. */
  withoutParts<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function recordCalls(upstream: string): Promise<RecordingProxy> {
  const byKey = new Map<string, Set<string>>();
  const refused = new Map<string, Set<string>>();
  let takesParts = true;
  const { hostname, port } = new URL(upstream);
  const server = createServer((asked, answer) => {
    const key = /Credential=([^/]+)\//.exec(asked.headers.authorization ?? '')?.[1] ?? '';
    const action = actionOf(asked);
    note(byKey, key, action);
    if (!takesParts && asked.method === 'PUT' && asked.url?.includes('partNumber=')) {
      asked.resume();
      answer.writeHead(400, { 'content-type': 'application/xml', connection: 'close' });
      answer.end('<Error><Code>InvalidArgument</Code><Message>no part is taken</Message></Error>');
      return;
    }
    const options = { hostname, port, method: asked.method, path: asked.url, headers: asked.headers };
    const onward = request(options, (answered) => {
      if (answered.statusCode === 403) note(refused, key, action);
      // Of each object by itself, under a status that says nothing of it.
      if (action === 's3:DeleteObject')
        answered.on('data', (text: Buffer) => {
          if (text.includes('AccessDenied')) note(refused, key, action);
        });
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    actionsOf: (accessKeyId) => [...(byKey.get(accessKeyId) ?? [])].sort(),
    refusedTo: (accessKeyId) => [...(refused.get(accessKeyId) ?? [])].sort(),
    forgetRefusals: () => refused.clear(),
    async withoutParts(work) {
      takesParts = false;
      try {
        return await work();
      } finally {
        takesParts = true;
      }
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function note(byKey: Map<string, Set<string>>, key: string, action: string): void {
  byKey.set(key, (byKey.get(key) ?? new Set()).add(action));
}

/**
 * As AWS has it: Kinesis' actions are its operations
 * (docs.aws.amazon.com/service-authorization/latest/reference/list_amazonkinesisdatastreams.html), S3's are not
 * (docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).
 */
export function actionOf({ method, url = '/', headers }: IncomingMessage): string {
  const target = headers['x-amz-target'];
  if (typeof target === 'string')
    return target.replace(/^(\w+?)_\d+\./, (_, service: string) => `${service.toLowerCase()}:`);
  const { pathname, searchParams } = new URL(url, 'http://any');
  const hasKey = /^\/[^/]+\/./.test(pathname);
  if (!hasKey) {
    if (method === 'GET' && searchParams.has('list-type')) return 's3:ListBucket';
    if (method === 'POST' && searchParams.has('delete')) return 's3:DeleteObject';
  } else {
    if (method === 'GET' || method === 'HEAD') return 's3:GetObject';
    if (method === 'DELETE')
      return searchParams.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject';
    if (method === 'PUT' || method === 'POST') return 's3:PutObject';
  }
  return `unknown: ${method} ${url}`;
}
