/** docs/reference/compatibility.md, made from the table; run as a program it writes it. */
import { writeFile } from 'node:fs/promises';
import { TABLE } from './table.ts';

export const PATH = 'docs/reference/compatibility.md';

export function compatibilityPage(): string {
  const sections = Map.groupBy(TABLE, ({ program, catalog }) => `${program}, by ${catalog}`);
  const section = ([title, rows]: [string, typeof TABLE]) =>
    [
      `## ${title}`,
      '| operation | tests |',
      '|---|---|',
      ...rows.map(({ operation, tests }) => `| ${operation} | ${filesOf(tests)} |`),
    ].join('\n');
  return `# Compatibility
<!-- Made by \`make reference\` from tests/interop/table.ts. Do not edit. -->

What other programs do with tables of ours, on a lake with the values on which readers tend to break. After everything
that they change, ours goes on: it takes two more batches from the stream with repeats in them, stages them, and the
figures agree with the ledger. \`make interop\` runs every row and fails when one does not hold; it needs Python, and
for Spark also Java and Maven.

${[...sections].map(section).join('\n\n')}

${LIMITS}`;
}

const filesOf = (tests: readonly string[]): string =>
  [...new Set(tests.map((test) => `\`tests/interop/${test.split(' > ')[0]}.test.ts\``))].join(', ');

const LIMITS = `## Limits
- **Merge-on-read.** We do not read tables with delete files: they would show rows that were deleted. The error says so;
  after \`rewrite_data_files\` with \`delete-file-threshold\` 1 and \`remove-dangling-deletes\` we go on. Copy-on-write, which
  is Spark's default, is fine.
- **A table that was replaced whole** (\`CREATE OR REPLACE TABLE\`) does not say any more how far it was read. Every
  command says so and nothing is guessed.
- **Event types of more than about 240 bytes, percent-encoded.** Spark names a partition's folder by its whole value, and
  a disk takes names of 255 bytes: Spark reads such partitions, and cannot write to them there.
- **remove_orphan_files of others** deletes what is three days old and named by no snapshot, and commits nothing that a
  late commit of ours could lose against, as \`lakeward maintain\` does before it deletes. What a commit of ours refers to
  was therefore written less than a day before its request goes out, however long the machine slept in between. Only a
  request that itself takes two days and more can still bring in files that are gone: one that is sent by a machine that
  falls asleep over it, or that lands days after its time-out. Leave \`older_than\` at its three days, or make it longer.
  What raw rejected lies below \`quarantine.events\` and is named there only once it is adopted, at once or at the next
  start: keep that program away from a quarantine that nothing of ours has run on for three days.
- **Columns.** A column is its field id. Columns of ours may be renamed and moved: questions use the names of today, and
  files of others are read whatever their columns are called in them. Columns that others add are null in what we write,
  and are not copied to staging. A file in which a column has no field id is refused by its name, unless the table has
  \`schema.name-mapping.default\`. [What else others may do](tables.md#when-other-programs-change-the-columns).
`;

if (import.meta.main) {
  await writeFile(new URL(`../../${PATH}`, import.meta.url), compatibilityPage());
  process.stderr.write(`wrote ${PATH}\n`);
}
