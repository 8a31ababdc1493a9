/** The client against a server of our own making, which does what Spark's does at awkward moments. */
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Certificate, certificateOfLoopback } from '../../../../tests/support/certificate.ts';
import { type Answers, type GrpcServer, serveGrpc } from '../../../../tests/support/grpc-server.ts';
import { openTcpProxy } from '../../../../tests/support/tcp-proxy.ts';
import { VirtualClock } from '../../../../tests/support/virtual-clock.ts';
import { type Clock, systemClock } from '../../../base/base.ts';
import { ERROR_INFO, methodOf } from './descriptors.ts';
import type { Message, Request } from './messages.ts';
import { openSession, type Session } from './session.ts';

const HEARTBEAT_MS = 60_000;
const PLAN = { root: { sql: { query: 'select 1' } } };
const SERVER_SESSION = 'the server’s';

const batch = (responseId: string): Message<'ExecutePlanResponse'> => ({
  responseId,
  serverSideSessionId: SERVER_SESSION,
  arrowBatch: { rowCount: 1n, data: new Uint8Array([1]) },
});
const END: Message<'ExecutePlanResponse'> = { responseId: 'end', resultComplete: {} };

const refused = (message: string, code = Code.Internal) => new ConnectError(message, code);

interface Setup {
  answers: Answers;
  parameters?: string;
  certificate?: Certificate;
  clock?: Clock;
  attempts?: number;
  ping_ms?: number;
}

async function setup({ answers, parameters = '', certificate, clock, attempts = 4, ping_ms }: Setup) {
  const told: [method: string, request: Record<string, unknown>][] = [];
  const heard = (method: string, answer: Answers[string]) => (request: never, context: HandlerContext) => {
    told.push([method, request]);
    return answer(request, context);
  };
  const nothing = () => ({});
  const all: Answers = {
    ...{ AnalyzePlan: nothing, Config: nothing, Interrupt: nothing },
    ...{ ReleaseExecute: nothing, ReleaseSession: nothing, ...answers },
  };
  const server: GrpcServer = await serveGrpc(methodOf('ExecutePlan').parent, {
    answers: Object.fromEntries(Object.entries(all).map(([name, answer]) => [name, heard(name, answer)])),
    certificate,
  });
  const proxy = await openTcpProxy(server.port);
  let ids = 0;
  const session = openSession({
    ...{ url: `sc://127.0.0.1:${proxy.port}/${parameters}`, attempts, heartbeat_ms: HEARTBEAT_MS },
    ...{ clock: clock ?? new VirtualClock({ running: true }), random: () => 0, newId: () => `id ${++ids}` },
    ...(ping_ms !== undefined && { ping_ms }),
  });
  onTestFinished(async () => {
    await session.close();
    await proxy.close();
    await server.close();
  });
  return { session, server, proxy, told, methods: () => told.map(([method]) => method) };
}

interface Reading {
  signal?: AbortSignal;
  onSeen?: (id: string | undefined) => void;
}

async function idsOf(session: Session, { signal, onSeen }: Reading = {}): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const { responseId } of session.execute(PLAN, { doing: 'counting', signal })) {
    seen.push(responseId);
    onSeen?.(responseId);
  }
  return seen;
}

/** Until the client is gone: a result that takes its time. */
const until = ({ signal }: HandlerContext) =>
  new Promise<void>((gone) => signal.addEventListener('abort', () => gone()));

describe('an operation whose connection breaks', () => {
  test('is attached to again behind the last answer that came, and is begun once', async () => {
    const { session, server, told } = await setup({
      answers: {
        async *ExecutePlan(_: never, context) {
          yield batch('1');
          yield batch('2');
          await until(context);
        },
        async *ReattachExecute({ lastResponseId }: Request<'ReattachExecute'>) {
          if (lastResponseId === '2') yield batch('3');
          yield END;
        },
      },
    });
    const onSeen = (id?: string) => id === '2' && server.cut();
    expect(await idsOf(session, { onSeen })).toEqual(['1', '2', '3']);
    expect(session.reattached).toBe(1);
    expect(told).toMatchObject([
      ['ExecutePlan', { requestOptions: [{ reattachOptions: { reattachable: true } }] }],
      ['ReattachExecute', { lastResponseId: '2', clientObservedServerSideSessionId: SERVER_SESSION }],
      ['ReleaseExecute', { releaseAll: {} }],
    ]);
    expect(new Set(told.map(([, { operationId }]) => operationId)).size).toBe(1);
  });

  test('is attached to again when the server ends the stream before the result does', async () => {
    const { session } = await setup({
      answers: {
        async *ExecutePlan() {
          yield batch('1');
        },
        async *ReattachExecute() {
          yield batch('2');
          yield END;
        },
      },
    });
    expect(await idsOf(session)).toEqual(['1', '2']);
  });

  test('is attached to again when the network is gone without a word', async () => {
    const { session, proxy } = await setup({
      ...{ ping_ms: 20, clock: systemClock },
      answers: {
        async *ExecutePlan(_: never, context) {
          yield batch('1');
          await until(context);
        },
        async *ReattachExecute() {
          yield batch('2');
          yield END;
        },
      },
    });
    expect(await idsOf(session, { onSeen: (id) => id === '1' && proxy.mute() })).toEqual(['1', '2']);
  });

  test('is begun again under its own id when the server has never heard of it', async () => {
    let begun = 0;
    const { session, server, told } = await setup({
      answers: {
        async *ExecutePlan() {
          if (++begun === 1) return server.cut();
          yield batch('1');
          yield END;
        },
        // biome-ignore lint/correctness/useYield: a stream that fails at once
        async *ReattachExecute() {
          throw refused('[INVALID_HANDLE.OPERATION_NOT_FOUND] The handle is invalid.');
        },
      },
    });
    expect(await idsOf(session)).toEqual(['1']);
    const asked = told
      .filter(([method]) => method === 'ExecutePlan')
      .map(([, request]) => request['operationId']);
    expect(asked).toHaveLength(2);
    expect(new Set(asked).size).toBe(1);
  });

  test('is not begun again once something of it has come', async () => {
    const { session, server, methods } = await setup({
      answers: {
        async *ExecutePlan(_: never, context) {
          yield batch('1');
          await until(context);
        },
        // biome-ignore lint/correctness/useYield: a stream that fails at once
        async *ReattachExecute() {
          throw refused('[INVALID_HANDLE.OPERATION_NOT_FOUND] The handle is invalid.');
        },
      },
    });
    await expect(idsOf(session, { onSeen: () => server.cut() })).rejects.toMatchObject({
      ...{ code: 'spark.operation_lost', retry: 'backoff' },
    });
    expect(methods().filter((method) => method === 'ExecutePlan')).toHaveLength(1);
  });

  test('is given up after as many connections in a row as are allowed', async () => {
    const { session, server, methods } = await setup({
      attempts: 3,
      answers: {
        // biome-ignore lint/correctness/useYield: a stream that breaks at once
        async *ExecutePlan() {
          server.cut();
        },
        // biome-ignore lint/correctness/useYield: a stream that breaks at once
        async *ReattachExecute() {
          server.cut();
        },
      },
    });
    await expect(idsOf(session)).rejects.toMatchObject({ code: 'spark.unreachable', retry: 'backoff' });
    expect(methods().filter((method) => method === 'ReattachExecute')).toHaveLength(2);
  });
});

describe('an operation that is no longer wanted', () => {
  const endless = (began: () => void): Answers => ({
    async *ExecutePlan(_: never, context) {
      yield batch('1');
      began();
      await until(context);
    },
  });

  test('is interrupted on the server by its signal, and released', async () => {
    const stop = new AbortController();
    const { session, told } = await setup({ answers: endless(() => stop.abort()) });
    await expect(idsOf(session, { signal: stop.signal })).rejects.toMatchObject({
      ...{ code: 'spark.interrupted', retry: 'never' },
    });
    const [, { operationId }] = told.find(([method]) => method === 'ExecutePlan')!;
    expect(told.slice(-2)).toMatchObject([
      ['Interrupt', { operationId, interruptType: 3 }],
      ['ReleaseExecute', { operationId, releaseAll: {} }],
    ]);
  });

  test('is interrupted too when its reader stops early', async () => {
    const { session, methods } = await setup({ answers: endless(() => {}) });
    for await (const _ of session.execute(PLAN, { doing: 'looking at the first' })) break;
    expect(methods().slice(-2)).toEqual(['Interrupt', 'ReleaseExecute']);
  });
});

test('a session is kept alive by a heartbeat, also during an operation, and released at the end', async () => {
  const clock = new VirtualClock();
  const beats = Promise.withResolvers<void>();
  let heard = 0;
  const { session, methods } = await setup({
    clock,
    answers: {
      async *ExecutePlan() {
        await beats.promise;
        yield END;
      },
      AnalyzePlan: () => {
        // The next begins to wait when this one is answered.
        if (++heard === 3) beats.resolve();
        else void clock.whenSleeping(HEARTBEAT_MS).then(() => clock.advance(HEARTBEAT_MS));
        return {};
      },
    },
  });
  const running = idsOf(session);
  clock.advance(HEARTBEAT_MS);
  expect(await running).toEqual([]);
  expect(heard).toBe(3);
  await session.close();
  expect(methods().at(-1)).toBe('ReleaseSession');
  expect(clock.sleeping).toBe(0);
});

describe('an error of Spark', () => {
  const ICEBERG = 'org.apache.iceberg.exceptions.CommitFailedException';
  const thrown = () =>
    new ConnectError('Job aborted', Code.Internal, undefined, [
      {
        desc: ERROR_INFO,
        value: {
          reason: 'org.apache.spark.SparkException',
          metadata: [
            { key: 'errorId', value: 'e1' },
            { key: 'errorClass', value: 'WRITING_JOB_ABORTED' },
          ],
        } as never,
      },
    ]);
  const failing: Answers = {
    // biome-ignore lint/correctness/useYield: a stream that fails at once
    async *ExecutePlan() {
      throw thrown();
    },
  };

  test('is told with its causes, by which what may pass is known', async () => {
    const { session, told } = await setup({
      answers: {
        ...failing,
        FetchErrorDetails: () => ({
          rootErrorIdx: 0,
          errors: [
            { errorTypeHierarchy: ['org.apache.spark.SparkException'], message: 'Job aborted', causeIdx: 1 },
            { errorTypeHierarchy: [ICEBERG], message: 'Requirement failed: branch has changed' },
          ],
        }),
      },
    });
    await expect(idsOf(session)).rejects.toMatchObject({
      ...{ code: 'spark.commit_failed', retry: 'backoff' },
      why: '[WRITING_JOB_ABORTED] Job aborted · caused by: Requirement failed: branch has changed',
    });
    expect(told.find(([method]) => method === 'FetchErrorDetails')).toMatchObject([
      ...['FetchErrorDetails', { errorId: 'e1' }],
    ]);
  });

  test('is told by what came with it when its details are not to be had', async () => {
    const { session } = await setup({ answers: failing });
    await expect(idsOf(session)).rejects.toMatchObject({
      ...{ code: 'spark.failed', retry: 'never', why: '[WRITING_JOB_ABORTED] Job aborted' },
    });
  });
});

describe('what an address of sc:// says', () => {
  const version: Answers = { AnalyzePlan: () => ({ sparkVersion: { version: '4.1.3' } }) };
  const asked = (more: Answers[string] = () => ({})): Answers => ({
    AnalyzePlan: (request: never, context) => {
      if (context.requestHeader.get('authorization') !== 'Bearer t;1')
        throw refused('who?', Code.Unauthenticated);
      more(request, context);
      return { sparkVersion: { version: '4.1.3' } };
    },
  });

  test('goes along with every call: token, user, session, program and further parameters', async () => {
    let cluster: string | null = null;
    const { session, told } = await setup({
      parameters: ';token=t%3B1;user_id=me;session_id=s1;user_agent=nightly;x-databricks-cluster-id=01-2',
      answers: asked((_, { requestHeader }) => {
        cluster = requestHeader.get('x-databricks-cluster-id');
      }),
    });
    expect(await session.version()).toBe('4.1.3');
    expect(cluster).toBe('01-2');
    expect(told[0]![1]).toMatchObject({
      ...{ sessionId: 's1', userContext: { userId: 'me' } },
      clientType: 'nightly lakeward',
    });
  });

  test('a token that is missing or wrong is the user’s to mend, and is not shown', async () => {
    const { session } = await setup({ parameters: ';token=secret', answers: asked() });
    const failure = await session.version().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'spark.unauthenticated', fault: 'user', retry: 'never' });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('secret');
  });

  describe('with TLS', () => {
    const certificate = certificateOfLoopback();
    const before = getCACertificates('default');
    const trusting = () => setDefaultCACertificates([...before, certificate.cert]);
    const trustingNot = () => setDefaultCACertificates(before);
    beforeAll(trustingNot);
    afterAll(trustingNot);

    test('a server is believed whose certificate the machine trusts; the token goes to it', async () => {
      trusting();
      onTestFinished(trustingNot);
      let scheme: string | undefined;
      const { session } = await setup({
        ...{ certificate, parameters: ';use_ssl=true;token=t%3B1' },
        answers: asked((_, { url }) => {
          scheme = new URL(url).protocol;
        }),
      });
      expect(await session.version()).toBe('4.1.3');
      expect(scheme).toBe('https:');
    });

    test('a server is told nothing whose certificate nobody vouches for', async () => {
      const { session, methods } = await setup({
        ...{ certificate, parameters: ';use_ssl=true;token=secret', answers: version },
      });
      await expect(session.version()).rejects.toMatchObject({
        ...{ code: 'spark.untrusted', fault: 'user', retry: 'never' },
        hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
      });
      expect(methods()).toEqual([]);
    });

    test('a server that speaks none is said to', async () => {
      const { session } = await setup({ parameters: ';use_ssl=true', answers: version });
      await expect(session.version()).rejects.toMatchObject({
        ...{ code: 'spark.no_tls', fault: 'user', retry: 'never' },
        hint: expect.stringContaining('use_ssl'),
      });
    });
  });
});
