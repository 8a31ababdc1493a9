import type { CatalogServer } from '../../lake/lake.ts';
import type { Committed } from '../../processor/processor.ts';
import { catalogServerOnFreePort, isServable } from '../catalog-server.ts';
import { closing } from '../closing.ts';
import type { DevAction } from '../commands/dev.ts';
import { ROLES } from '../commands/run.ts';
import { type Embedded, openEmbedded } from '../embedded.ts';
import { writeEndpoint } from '../endpoint-file.ts';
import { figure } from '../figures.ts';
import { monitorOf, startListener } from '../monitoring.ts';
import { sameFlags, shellWord } from '../paste.ts';
import { transformsBeside } from '../project-transforms.ts';
import { transformObservers } from '../transform-role.ts';
import { version } from '../version.ts';

export const dev: DevAction = async (context) => {
  const { settings, out, log, signal } = context;
  const transforms = await transformsBeside(context);
  await using embedded = await openEmbedded(context);
  const { server } = embedded;
  await using catalogServer = await startCatalog(context, embedded);
  const paint = out.notePaint;
  const name = settings['stream.name'];
  for (const line of [
    `${paint.bold(`lakeward ${version()}`)}  until Ctrl-C`,
    `  stream  ${name} at ${server.endpoint} (Kinesis protocol, any credentials)`,
    `  lake    ${settings.dir}`,
    `  put     ${putLine({ name, endpoint: server.endpoint, region: settings['stream.region'], now_ms: context.clock.now() })}`,
    `  or      lakeward send events.ndjson${sameFlags(context, ['stream.name'])}`,
    ...(transforms.length === 0 ? [] : [`  marts   ${transforms.map((t) => `marts.${t.name}`).join(', ')}`]),
    ...(catalogServer === undefined ? [] : [`  tables  ${catalogLine(catalogServer.uri)}`]),
    `  ask     lakeward sql "select event_type, count(*) from staging.events group by 1"${sameFlags(context)}`,
  ]) {
    out.note(line);
  }
  const monitor = monitorOf({ ...context, roles: ROLES });
  await using _listener = await startListener(context, monitor);
  await embedded.run(signal, {
    ...transformObservers(context),
    transforms,
    monitor,
    onRaw: ({ tally, behindLatest_ms }: Committed) => {
      const { received, written, duplicate, quarantined } = tally;
      const behind = behindLatest_ms > 1000 ? `, ${figure(behindLatest_ms / 1000)} s behind` : '';
      log.info('processor.committed', `committed${behind}`, { received, written, duplicate, quarantined });
    },
    onStaging: ({ received, written, duplicate }) =>
      log.info('staging.committed', 'staged', { received, written, duplicate }),
  });
  out.note('everything that came is committed; bye');
};

/** The tables for other programs, beside everything else; undefined where it is turned off or another serves them. */
async function startCatalog(
  context: Parameters<DevAction>[0],
  { server, lake, catalog }: Embedded,
): Promise<(CatalogServer & AsyncDisposable) | undefined> {
  const { settings } = context;
  if (settings['serve.catalog'] === 'off' || !isServable(catalog)) return undefined;
  const served = closing(await catalogServerOnFreePort(context, { store: lake.store, catalog }));
  await writeEndpoint(settings.dir, server, served.uri);
  return served;
}

/** For version 2 of the AWS CLI. It asks for credentials and a region before it asks anybody else; any will do here. */
function putLine(to: { name: string; endpoint: string; region: string; now_ms: number }): string {
  const event = `{"event_uuid":"1","event_name":"account:created","created_at":${Math.floor(to.now_ms / 1000)}}`;
  return [
    `AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws --region ${to.region} --endpoint-url ${to.endpoint}`,
    `kinesis put-record --stream-name ${shellWord(to.name)} --partition-key 1`,
    `--cli-binary-format raw-in-base64-out --data '${event}'`,
  ].join(' ');
}

const catalogLine = (uri: string): string =>
  `${uri} (Iceberg REST catalog), as RestCatalog("lakeward", uri="${uri}") in pyiceberg; Spark, DuckDB: lakeward serve catalog --help`;
