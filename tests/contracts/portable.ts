/** The samples of what transforms may use everywhere, run as transforms of a lake on one engine. */
import { defineTransform, type Transform } from '../../src/transforms/transforms.ts';
import { succeeded, transformLake } from '../support/transform-lake.ts';
import { watched } from '../support/watched-engine.ts';
import { lakeFolder } from '../support/worker.ts';
import type { OpenEngine } from './engine-staging.ts';
import {
  AGGREGATE_SAMPLES,
  DOCUMENTS,
  OPERATOR_SAMPLES,
  QUERY_SAMPLES,
  SCALAR_SAMPLES,
  SHOWN,
  WINDOW_SAMPLES,
} from './portable-samples.ts';

const PER_QUERY = 120;

/** What each sample gave: its expression, and the values of it in the order of the rows' keys. */
export type Given = Readonly<Record<string, readonly unknown[]>>;

interface Sampling {
  transform: Transform;
  /** The columns behind the key; one for a whole query. */
  samples: readonly string[];
}

export function samplings(): Sampling[] {
  const scalars = [...Object.values(SCALAR_SAMPLES).flat(), ...OPERATOR_SAMPLES];
  const parts = Array.from({ length: Math.ceil(scalars.length / PER_QUERY) }, (_, i) =>
    scalars.slice(i * PER_QUERY, (i + 1) * PER_QUERY),
  );
  return [
    ...parts.map((samples, i) => columns(`scalars_${i}`, { samples, key: 'id' })),
    columns('windows', { samples: Object.values(WINDOW_SAMPLES).flat(), key: 'id' }),
    columns('aggregates', {
      samples: Object.values(AGGREGATE_SAMPLES).flat(),
      key: 'event_name',
      group: true,
    }),
    { transform: define('queries', queriesTogether()), samples: ['queries'] },
  ];
}

function columns(
  name: string,
  { samples, key, group = false }: { samples: readonly string[]; key: string; group?: boolean },
): Sampling {
  const list = samples.map((sample, i) => `${sample} as c${i}`).join(', ');
  const sql = `with v as (${SHOWN}) select ${key}, ${list} from v${group ? ' group by all' : ''}`;
  return { transform: define(name, sql), samples };
}

/** As one query, for each mart costs seconds in Spark: columns as text, and the number of the sample. */
function queriesTogether(): string {
  const parts = QUERY_SAMPLES.map(([query, columns], i) => {
    const names = ['a', 'b', 'c'].slice(0, columns);
    const texts = ['a', 'b', 'c'].map((name) =>
      names.includes(name) ? `${name}::varchar` : 'null::varchar',
    );
    return `select ${i} as query, ${texts[0]} as a, ${texts[1]} as b, ${texts[2]} as c from (${query}) x(${names.join(', ')})`;
  });
  return `with v as (${SHOWN}) ${parts.join(' union all ')}`;
}

const define = (name: string, sql: string): Transform =>
  defineTransform({ name, from: ['even:*', 'odd:*'], mode: 'append', sql });

export async function samplesOn(open: OpenEngine, chosen: readonly Sampling[] = samplings()): Promise<Given> {
  const folder = await lakeFolder();
  const lake = await transformLake({ folder, engine: watched(await open(folder)) });
  await lake.fill(DOCUMENTS);
  const given: Record<string, readonly unknown[]> = {};
  for (const { transform, samples } of chosen) {
    succeeded(await lake.run([transform]));
    const rows = await lake.rows(transform.name);
    if (samples.length === 1) given[samples[0]!] = rows;
    else for (const [i, sample] of samples.entries()) given[sample] = rows.map((row) => row[i + 1]);
  }
  return given;
}
