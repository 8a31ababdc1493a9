import { defineTransform } from 'lakeward';

/** How many lessons of a course reach each step on a day, and how long that takes. Reads the mart of lessons. */
export default defineTransform({
  name: 'lesson_funnel',
  from: [{ mart: 'lessons' }],
  mode: 'partitions',
  partition: 'day',
  sql: `
    select
      day,
      course,
      count(distinct session_id) as sessions,
      count(*) as started,
      count(to_first_answer_ms) as answered,
      count(*) filter (outcome = 'completed') as completed,
      count(*) filter (outcome = 'abandoned') as abandoned,
      median(to_first_answer_ms) as to_first_answer_ms,
      median(to_end_ms) filter (outcome = 'completed') as to_completed_ms
    from lessons
    group by day, course
  `,
});
