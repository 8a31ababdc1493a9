/** Runs the tests of the table and prints it: `make interop`. Exits non-zero when a row does not hold. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Row, TABLE } from './table.ts';

interface Report {
  testResults: {
    name: string;
    message: string;
    assertionResults: { ancestorTitles: string[]; title: string; status: string }[];
  }[];
}

const report = await runTests();
const statuses = new Map(
  report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status }) => [
      [basename(name, '.test.ts'), ...ancestorTitles, title].join(' > '),
      status,
    ]),
  ),
);

const judged = TABLE.map((row) => ({ row, why: whyNot(row) }));
const widths = (['program', 'catalog', 'operation'] as const).map((key) =>
  Math.max(...TABLE.map((row) => row[key].length)),
);
console.log('');
for (const { row, why } of judged) {
  const cells = [row.program, row.catalog, row.operation].map((cell, i) => cell.padEnd(widths[i]!));
  console.log(`${cells.join('  ')}  ${why ?? 'holds'}`);
}
const broken = report.testResults.filter(
  ({ message, assertionResults }) => message && assertionResults.length === 0,
);
for (const { name, message } of broken) console.log(`${basename(name)}: ${message}`);
for (const title of skippedSuites()) console.log(`skipped: ${title}`);
const holding = judged.filter(({ why }) => why === undefined).length;
console.log(`${holding} of ${TABLE.length} rows hold`);
process.exit(holding === TABLE.length ? 0 : 1);

/** Undefined when every test of the row ran and passed. */
function whyNot({ tests }: Row): string | undefined {
  const bad = tests.filter((test) => statuses.get(test) !== 'passed');
  if (bad.length === 0) return undefined;
  return `FAILS: ${bad.map((test) => `${test} (${statuses.get(test) ?? 'did not run'})`).join('; ')}`;
}

/** Their titles say why: no Java, no Python. */
function skippedSuites(): Set<string> {
  const skipped = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'skipped' || status === 'pending'),
  );
  return new Set(skipped.map(({ ancestorTitles, title }) => ancestorTitles[0] ?? title));
}

async function runTests(): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'interop-'));
  const output = join(folder, 'report.json');
  try {
    const files = new Set(TABLE.flatMap(({ tests }) => tests.map((test) => test.split(' > ')[0]!)));
    const args = [
      ...['node_modules/vitest/vitest.mjs', 'run', '--project', 'interop', '--project', 'spark'],
      ...['--reporter=dot', '--reporter=json', `--outputFile.json=${output}`],
      ...[...files].map((file) => `tests/interop/${file}.test.ts`),
    ];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      stdio: 'inherit',
    });
    await once(child, 'close');
    return JSON.parse(await readFile(output, 'utf8')) as Report;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
