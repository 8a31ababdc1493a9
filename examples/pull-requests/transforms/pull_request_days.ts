import { defineTransform } from 'lakeward';

/** The life of a repository's pull requests by day. Reads the mart of steps, and only the days that gained any. */
export default defineTransform({
  name: 'pull_request_days',
  from: [{ mart: 'pull_request_steps' }],
  mode: 'partitions',
  partition: 'day',
  sql: `
    select
      happened_at::date as day,
      repository,
      count(distinct number) as pull_requests,
      count(*) filter (kind = 'pull_request' and action = 'opened') as opened,
      count(*) filter (kind = 'pull_request_review' and action = 'submitted') as reviews,
      count(*) filter (kind = 'pull_request' and action = 'closed') as closed,
      max(after_opening_s) filter (kind = 'pull_request' and action = 'closed') as to_closing_s
    from pull_request_steps
    group by day, repository
  `,
});
