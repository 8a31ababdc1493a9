import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTransform } from 'lakeward';
import sales from './sales.ts';

const order = (id: string) => ({ id, plan: 'monthly', currency: 'EUR', amount_minor: 1199 });

test('a refund a week later counts on the day of its order', async () => {
  const rows = await testTransform(sales, [
    { event_name: 'payment:order:completed', created_at: '2026-01-01T10:00:00Z', order: order('one') },
    { event_name: 'payment:order:completed', created_at: '2026-01-01T11:00:00Z', order: order('two') },
    {
      event_name: 'payment:order:refunded',
      created_at: '2026-01-08T12:00:00Z',
      order: order('one'),
      refund: { amount_minor: 1199 },
    },
  ]);
  assert.deepEqual(rows, [
    {
      day: '2026-01-01',
      currency: 'EUR',
      plan: 'monthly',
      orders: 2,
      revenue_minor: 2398,
      refunds: 1,
      refunded_minor: 1199,
    },
  ]);
});
