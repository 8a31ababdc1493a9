import { type Action, defineCommand } from '../command.ts';
import { EXITS_OF_LAKE } from '../exit.ts';

const flags = {} as const;
export type ServeCatalogAction = Action<typeof flags>;

export const serveCatalogCommand = (action: ServeCatalogAction) =>
  defineCommand(
    {
      name: 'serve catalog',
      summary: 'Serve the tables as an Iceberg REST catalog, until Ctrl-C.',
      about: [
        'Other programs list, create, read and change the tables of the lake by the Iceberg REST protocol, while Lakeward goes on writing them. They read and write the files themselves, so they must reach the folder of the lake. The server holds no state: it can be stopped and started at any moment, and run beside everything else.',
        'pyiceberg: RestCatalog("lakeward", uri="http://127.0.0.1:8181").load_table("staging.events")',
        'Spark: spark.sql.catalog.lakeward=org.apache.iceberg.spark.SparkCatalog, spark.sql.catalog.lakeward.type=rest, spark.sql.catalog.lakeward.uri=http://127.0.0.1:8181',
        "DuckDB: ATTACH 'lakeward' AS lakeward (TYPE iceberg, ENDPOINT 'http://127.0.0.1:8181', AUTHORIZATION_TYPE 'none')",
        'Without a token it listens on loopback only, and refuses what a web page in a browser asks. It speaks plain HTTP: for other machines put a proxy with TLS in front.',
      ],
      flags,
      json: false,
      examples: [
        { line: 'lakeward serve catalog', does: 'the lake in ./.lakeward, on 127.0.0.1:8181' },
        {
          line: 'LAKEWARD_SERVE_TOKEN=s3cr3t lakeward serve catalog --serve-host 0.0.0.0',
          does: 'for other machines, with a token',
        },
      ],
      exits: EXITS_OF_LAKE,
      readOn: ['docs/reference/rest-catalog.md', 'docs/how-to/read-with-pyiceberg.md'],
    },
    action,
  );
