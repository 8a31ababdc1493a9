import { defineTransform } from 'lakeward';

/** One row for everything that happened to a pull request, out of GitHub's nested payloads. Each event once. */
export default defineTransform({
  name: 'pull_request_steps',
  from: ['pull_request:*', 'pull_request_review:*'],
  mode: 'append',
  partition: 'happened_at',
  sql: `
    select
      created_datetime as happened_at,
      document->>'$.repository.full_name' as repository,
      (document->>'$.pull_request.number')::integer as number,
      event_type as kind,
      event_subtype as action,
      document->>'$.sender.login' as actor,
      document->>'$.pull_request.state' as state,
      coalesce((document->>'$.pull_request.merged')::boolean, false) as merged,
      epoch(created_datetime) - epoch((document->>'$.pull_request.created_at')::timestamptz) as after_opening_s
    from events
  `,
});
