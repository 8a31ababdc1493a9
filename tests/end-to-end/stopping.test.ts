import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf, lakeward, start } from '../support/program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stopping-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('one Ctrl-C before the work is done ends with 130', () => {
  it('of send, also while it waits for more input; what it put is in the stream', async () => {
    const dir = join(folder, 'send');
    const dev = start(['dev', '--dir', dir, '--stream-port', '0', '--serve-catalog', 'off']);
    await endpointOf(dev, dir);
    const event = '{"event_uuid":"1","event_name":"a:b","created_at":1767225600}\n';
    const sending = start(['send', '-', '--dir', dir], { stdin: event });
    await arrived(dir);
    sending.process.kill('SIGINT');
    expect(await sending.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('1 record') });
    dev.process.kill('SIGINT');
    await dev.ended;
  });

  it('of demo', async () => {
    const dir = join(folder, 'demo');
    const running = start(['demo', '--dir', dir, '--stream-port', '0']);
    await endpointOf(running, join(dir, 'demo'));
    running.process.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 130, stdout: '' });
  });
});

it('the lake of a demo is proved again by verify, its stream included', async () => {
  const shown = await lakeward(['demo', '--dir', folder, '--events', '100', '--stream-port', '0']);
  expect(shown.code).toBe(0);
  const { code, stdout } = await lakeward(['verify', '--dir', join(folder, 'demo')]);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('✓ the stream: ') });
});

/** Until the lake has an event. */
async function arrived(dir: string): Promise<void> {
  const asked = ['find', '1', '--dir', dir, '--json'];
  while ((await lakeward(asked)).code !== 0);
}
