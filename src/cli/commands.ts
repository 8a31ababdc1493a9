/** The list of commands, and what each of them does: an action from actions/, loaded when it is needed. */
import type { Command } from './command.ts';
import { type DemoAction, demoCommand } from './commands/demo.ts';
import { type DevAction, devCommand } from './commands/dev.ts';
import { type FindAction, findCommand } from './commands/find.ts';
import { type ForecastAction, forecastCommand } from './commands/forecast.ts';
import { healthCommand } from './commands/health.ts';
import { type InitAction, initCommand } from './commands/init.ts';
import { type MaintainAction, maintainCommand } from './commands/maintain.ts';
import { type QuarantineListAction, quarantineListCommand } from './commands/quarantine-list.ts';
import { type RunAction, runCommand } from './commands/run.ts';
import { type SendAction, sendCommand } from './commands/send.ts';
import { type ServeCatalogAction, serveCatalogCommand } from './commands/serve-catalog.ts';
import { type SqlAction, sqlCommand } from './commands/sql.ts';
import { type StatusAction, statusCommand } from './commands/status.ts';
import { type TablesAction, tablesCommand } from './commands/tables.ts';
import { type TransformBackfillAction, transformBackfillCommand } from './commands/transform-backfill.ts';
import { type TransformCheckAction, transformCheckCommand } from './commands/transform-check.ts';
import { type TransformListAction, transformListCommand } from './commands/transform-list.ts';
import { type TransformRunAction, transformRunCommand } from './commands/transform-run.ts';
import { type TransformShowAction, transformShowCommand } from './commands/transform-show.ts';
import { type TypesAction, typesCommand } from './commands/types-of-events.ts';
import { type VerifyAction, verifyCommand } from './commands/verify.ts';

export interface Actions {
  demo: DemoAction;
  dev: DevAction;
  run: RunAction;
  send: SendAction;
  sql: SqlAction;
  tables: TablesAction;
  find: FindAction;
  quarantineList: QuarantineListAction;
  verify: VerifyAction;
  status: StatusAction;
  maintain: MaintainAction;
  serveCatalog: ServeCatalogAction;
  init: InitAction;
  transformList: TransformListAction;
  transformShow: TransformShowAction;
  transformCheck: TransformCheckAction;
  transformRun: TransformRunAction;
  transformBackfill: TransformBackfillAction;
  types: TypesAction;
  forecast: ForecastAction;
}

/** `load` is called by a command that runs, never for `--help`, which must not wait for DuckDB and the AWS SDK. */
export function allCommands(load: () => Promise<Actions>): Command[] {
  return [
    demoCommand(async (context) => (await load()).demo(context)),
    devCommand(async (context) => (await load()).dev(context)),
    runCommand(async (context) => (await load()).run(context)),
    sendCommand(async (context) => (await load()).send(context)),
    sqlCommand(async (context) => (await load()).sql(context)),
    tablesCommand(async (context) => (await load()).tables(context)),
    findCommand(async (context) => (await load()).find(context)),
    quarantineListCommand(async (context) => (await load()).quarantineList(context)),
    verifyCommand(async (context) => (await load()).verify(context)),
    statusCommand(async (context) => (await load()).status(context)),
    // Asked every few seconds by whatever watches a container: it does not wait for what it does not need.
    healthCommand(async (context) => (await import('./actions/health.ts')).health(context)),
    maintainCommand(async (context) => (await load()).maintain(context)),
    serveCatalogCommand(async (context) => (await load()).serveCatalog(context)),
    initCommand(async (context) => (await load()).init(context)),
    transformListCommand(async (context) => (await load()).transformList(context)),
    transformShowCommand(async (context) => (await load()).transformShow(context)),
    transformCheckCommand(async (context) => (await load()).transformCheck(context)),
    transformRunCommand(async (context) => (await load()).transformRun(context)),
    transformBackfillCommand(async (context) => (await load()).transformBackfill(context)),
    typesCommand(async (context) => (await load()).types(context)),
    forecastCommand(async (context) => (await load()).forecast(context)),
  ];
}
