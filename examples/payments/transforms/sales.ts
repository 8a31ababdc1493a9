import { defineTransform } from 'lakeward';

/**
 * What was sold on a day and what of it was given back. A refund counts on the day of its order, which is up to nine
 * days before; when it arrives, that day is computed anew.
 */
export default defineTransform({
  name: 'sales',
  from: ['payment:order:completed', 'payment:order:refunded'],
  mode: 'partitions',
  partition: 'day',
  reads: { daysAfter: 9 },
  sql: `
    with refunds as (
      select document->>'$.order.id' as order_id, (document->>'$.refund.amount_minor')::bigint as amount_minor
      from payment_order_refunded
    )
    select
      o.created_datetime::date as day,
      o.document->>'$.order.currency' as currency,
      o.document->>'$.order.plan' as plan,
      count(*) as orders,
      sum((o.document->>'$.order.amount_minor')::bigint) as revenue_minor,
      count(r.order_id) as refunds,
      coalesce(sum(r.amount_minor), 0) as refunded_minor
    from payment_order_completed o
    left join refunds r on r.order_id = (o.document->>'$.order.id')
    group by all
  `,
});
