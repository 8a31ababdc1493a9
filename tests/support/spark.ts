/**
 * Apache Spark with Iceberg's own runtime, as one process for a whole suite (it takes 7–16 s to start): a script of
 * pyspark reads one JSON document a line, runs what it asks for, and answers with one.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asking, ended } from './line-protocol.ts';
import { jarsOf, runs } from './maven.ts';
import { type Python, pythonWith } from './python.ts';
import { type ConnectServer, type ConnectServerOptions, serveSparkConnect } from './spark-connect-server.ts';

const JARS = [
  'org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0',
  'org.xerial:sqlite-jdbc:3.51.0.0',
] as const;
const SCRIPT = join(import.meta.dirname, '../interop/serve_spark.py');

export interface SparkInstallation {
  /** Why there is none; undefined when there is one. */
  missing: string | undefined;
  start(): Promise<Spark>;
  /** The same as a Spark Connect server, which answers programs that are not of Python. */
  serve(options?: ConnectServerOptions): Promise<ConnectServer>;
}

export interface Spark {
  /** Takes effect at the next statement; a catalog's, when that is first used. */
  set(conf: Readonly<Record<string, string>>): Promise<void>;
  /** Rows of a statement; times are microseconds, binary is base64. */
  sql<T extends unknown[] = unknown[]>(statement: string): Promise<T[]>;
  /** The data files that a query's plan has to read, without running it. */
  filesOf(query: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** On a developer's machine a missing Java is a reason to skip; where `CI` is set it is an error. */
export async function sparkInstallation(): Promise<SparkInstallation> {
  const missing = (why: string): SparkInstallation => {
    if (process.env['CI']) throw new Error(`no Spark: ${why}`);
    const none = () => Promise.reject(new Error(why));
    return { missing: `no Spark: ${why}`, start: none, serve: none };
  };
  if (!(await runs('java'))) return missing('no java');
  const found = await jarsOf(JARS);
  if ('missing' in found) return missing(found.missing);
  const python = await pythonWith('spark');
  if (python.missing !== undefined) return missing(python.missing);
  return {
    missing: undefined,
    start: () => startSpark(python, found.jars),
    serve: (options) => serveSparkConnect(python, { jars: found.jars, ...options }),
  };
}

/** For a script that begins a session of its own. */
export async function sparkJars(): Promise<readonly string[]> {
  const found = await jarsOf(JARS);
  if ('missing' in found) throw new Error(found.missing);
  return found.jars;
}

async function startSpark(python: Python, jars: readonly string[]): Promise<Spark> {
  const folder = await mkdtemp(join(tmpdir(), 'spark-'));
  const child = python.start(SCRIPT, { cwd: folder });
  const ask = asking('Spark', child);
  const spark: Spark = {
    set: (conf) => ask({ set: conf }),
    sql: (statement) => ask({ sql: statement }),
    filesOf: (query) => ask({ filesOf: query }),
    async stop() {
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await ask({ start: { ...LOCAL, 'spark.local.dir': folder, ...classPath(jars) } });
  } catch (error) {
    await spark.stop();
    throw error;
  }
  return spark;
}

const LOCAL = {
  'spark.master': 'local[2]',
  'spark.driver.memory': '1g',
  'spark.driver.host': '127.0.0.1',
  'spark.driver.bindAddress': '127.0.0.1',
  // Out of memory in one thread otherwise leaves a statement hanging for ever. Compilers that pay off for large data
  // cost more than they save here.
  'spark.driver.extraJavaOptions': '-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -XX:TieredStopAtLevel=1',
  'spark.sql.codegen.wholeStage': 'false',
  'spark.sql.codegen.factoryMode': 'NO_CODEGEN',
  'spark.sql.adaptive.enabled': 'false',
  'spark.ui.enabled': 'false',
  'spark.ui.showConsoleProgress': 'false',
  'spark.sql.shuffle.partitions': '2',
  'spark.sql.session.timeZone': 'UTC',
  'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
};

const classPath = (jars: readonly string[]) => ({ 'spark.driver.extraClassPath': jars.join(':') });
