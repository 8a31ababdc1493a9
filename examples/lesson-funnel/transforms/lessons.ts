import { defineTransform } from 'lakeward';

/**
 * One row a lesson, on the day it began: what became of it, in which session, and how long each step took. A lesson
 * that begins before midnight may end after it, so the events of the next day are read too.
 */
export default defineTransform({
  name: 'lessons',
  from: ['lesson:*', 'exercise:answered'],
  mode: 'partitions',
  partition: 'day',
  reads: { daysAfter: 1 },
  sql: `
    with steps as (
      select
        document->>'$.learner_id' as learner_id,
        document->>'$.lesson.id' as lesson_id,
        min(created_datetime) filter (event_name = 'lesson:started') as started_at,
        min(created_datetime) filter (event_name = 'exercise:answered') as first_answer_at,
        count(*) filter (event_name = 'exercise:answered') as answers,
        min(created_datetime) filter (event_name in ('lesson:completed', 'lesson:abandoned')) as ended_at,
        min(event_subtype) filter (event_name in ('lesson:completed', 'lesson:abandoned')) as ended,
        min(document->>'$.session.id') filter (event_name = 'lesson:started') as session_id,
        min(document->>'$.lesson.course') as course
      from events
      group by 1, 2
    )
    select
      started_at::date as day,
      learner_id,
      lesson_id,
      course,
      session_id,
      started_at,
      answers,
      coalesce(ended, 'lost') as outcome,
      epoch_ms(first_answer_at) - epoch_ms(started_at) as to_first_answer_ms,
      epoch_ms(ended_at) - epoch_ms(started_at) as to_end_ms
    from steps
    where started_at is not null
  `,
});
