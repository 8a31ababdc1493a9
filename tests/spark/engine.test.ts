/** The Spark engine on a server of its own: what every engine must do, and what is particular to Spark. */
import { afterAll, beforeAll } from 'vitest';
import { stagingContract } from '../contracts/engine-staging.ts';
import { describeWith } from '../support/python.ts';
import { sparkInstallation } from '../support/spark.ts';
import type { ConnectServer } from '../support/spark-connect-server.ts';
import { openSparkOn } from '../support/spark-engine.ts';

const installation = await sparkInstallation();

describeWith(installation, 'Spark', () => {
  let server: ConnectServer;
  beforeAll(async () => {
    server = await installation.serve({ token: 'between us' });
  });
  afterAll(() => server?.stop());

  const open = (folder: string) =>
    openSparkOn(folder, { url: `sc://127.0.0.1:${server.port}/;token=between%20us` });

  stagingContract(open);
});
