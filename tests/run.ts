/**
 * Runs the suites one after the other and prints each suite's minutes and counts; exits non-zero when one failed.
 * Usage: node tests/run.ts [SUITE…]
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SUITES = [
  'structure',
  'unit',
  'scenarios',
  'crashes',
  'interop',
  'spark',
  'infra',
  'deployment',
  'image',
  'end-to-end',
];

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Why each skipped test was skipped, as far as it says. */
  reasons: string[];
}

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  success: boolean;
  testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[];
}

const asked = process.argv.slice(2);
const suites = asked.length === 0 ? SUITES : asked;
const total: Counts = { passed: 0, failed: 0, skipped: 0, reasons: [] };
const lines: string[] = [];

for (const suite of suites) {
  const begun = performance.now();
  const counts = await run(suite);
  const minutes = ((performance.now() - begun) / 60_000).toFixed(1).padStart(5);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  total.reasons.push(...counts.reasons);
  lines.push(
    `${suite.padEnd(12)} ${minutes} min  ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  );
  console.log(lines.at(-1));
}

console.log(`\n${lines.join('\n')}`);
for (const reason of new Set(total.reasons)) console.log(`skipped: ${reason}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
const totals = process.env['LAKEWARD_TEST_TOTALS'];
if (totals) await writeFile(totals, `${total.passed} ${total.failed} ${total.skipped}\n`);
process.exit(total.failed === 0 ? 0 : 1);

async function run(suite: string): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'suite-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    suite,
    '--passWithNoTests',
    ...reporters,
  ];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    stdio: 'inherit',
  });
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? 1)));
  const report = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Report,
    () => undefined,
  );
  await rm(folder, { recursive: true });
  if (report === undefined) return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0, reasons: [] };
  const broken = report.testResults.filter(
    (r) => r.status === 'failed' && r.assertionResults.length === 0,
  ).length;
  const failed = report.numFailedTests + broken;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
    reasons: report.testResults.flatMap((r) =>
      r.assertionResults
        .filter((a) => a.status === 'skipped' || a.status === 'pending')
        .map((a) => a.fullName),
    ),
  };
}
