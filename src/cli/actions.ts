/** What each command does. Loaded only when a command runs: `--help` must not wait for DuckDB. */
import { dev } from './actions/dev.ts';
import { find } from './actions/find.ts';
import { forecast } from './actions/forecast.ts';
import { init } from './actions/init.ts';
import { maintain } from './actions/maintain.ts';
import { quarantineList } from './actions/quarantine-list.ts';
import { run } from './actions/run.ts';
import { send } from './actions/send.ts';
import { serveCatalog } from './actions/serve-catalog.ts';
import { sql } from './actions/sql.ts';
import { status } from './actions/status.ts';
import { tables } from './actions/tables.ts';
import { transformBackfill } from './actions/transform-backfill.ts';
import { transformCheck } from './actions/transform-check.ts';
import { transformList } from './actions/transform-list.ts';
import { transformRun } from './actions/transform-run.ts';
import { transformShow } from './actions/transform-show.ts';
import { types } from './actions/types-of-events.ts';
import { verify } from './actions/verify.ts';
import type { Actions } from './commands.ts';
import { demo } from './demo/demo.ts';

export const actions: Actions = {
  demo,
  dev,
  run,
  send,
  sql,
  tables,
  find,
  quarantineList,
  verify,
  status,
  maintain,
  serveCatalog,
  init,
  transformList,
  transformShow,
  transformCheck,
  transformRun,
  transformBackfill,
  types,
  forecast,
};
