import { defineTransform } from 'lakeward';

/** Who was active on a day: opened the app, or brought a lesson to its end. */
export default defineTransform({
  name: 'daily_active',
  from: ['session:started', 'lesson:completed', 'account:created'],
  mode: 'partitions',
  partition: 'day',
  sql: `
    select
      created_datetime::date as day,
      count(distinct document->>'$.learner_id') filter (event_name <> 'account:created') as learners,
      count(distinct document->>'$.learner_id') filter (event_name = 'lesson:completed') as learned,
      count(*) filter (event_name = 'account:created') as new_learners
    from events
    group by day
  `,
});
