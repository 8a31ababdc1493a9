import { expect, it } from 'vitest';
import { reopened } from './reopened.ts';

function instances() {
  const opened: { id: number; broken: boolean; closed: boolean; closeSync(): void }[] = [];
  const open = async () => {
    const instance = {
      id: opened.length,
      broken: false,
      closed: false,
      closeSync() {
        instance.closed = true;
      },
    };
    opened.push(instance);
    return instance;
  };
  const connect = async ({ id, broken }: { id: number; broken: boolean }) => {
    if (broken)
      throw new Error('FATAL Error: Failed: database has been invalidated because of a previous error');
    return `connection to ${id}`;
  };
  return { opened, open, connect };
}

it('an instance that refuses everything is opened anew, once, for all who ask at once', async () => {
  const { opened, open, connect } = instances();
  const instance = await reopened(open, connect);
  expect(await instance.connect()).toBe('connection to 0');
  opened[0]!.broken = true;
  const asked = await Promise.all([instance.connect(), instance.connect(), instance.connect()]);
  expect(asked).toEqual(Array(3).fill('connection to 1'));
  expect(opened.map(({ closed }) => closed)).toEqual([true, false]);
  instance.close();
  expect(opened.every(({ closed }) => closed)).toBe(true);
});

it('any other error is what it is', async () => {
  const { opened, open } = instances();
  const instance = await reopened(open, async () => {
    throw new Error('Out of Memory Error: no');
  });
  await expect(instance.connect()).rejects.toThrow('Out of Memory');
  expect(opened).toHaveLength(1);
});
