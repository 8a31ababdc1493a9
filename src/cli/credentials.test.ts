import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { chainedCredentials } from './credentials.ts';

it('a session that was written anew into the credentials file is found when it is asked for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'credentials-'));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true });
  });
  const file = join(folder, 'credentials');
  vi.stubEnv('AWS_PROFILE', 'default');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  const logIn = (token: string) =>
    writeFile(
      file,
      `[default]\naws_access_key_id = id\naws_secret_access_key = s\naws_session_token = ${token}\n`,
    );
  const credentials = chainedCredentials();
  if (typeof credentials !== 'function') throw new Error('a chain is a function');
  await logIn('first');
  expect(await credentials()).toEqual({ accessKeyId: 'id', secretAccessKey: 's', sessionToken: 'first' });
  await logIn('second');
  expect(await credentials()).toMatchObject({ sessionToken: 'first' });
  expect(await credentials({ forceRefresh: true })).toMatchObject({ sessionToken: 'second' });
  expect(await credentials()).toMatchObject({ sessionToken: 'second' });
});
