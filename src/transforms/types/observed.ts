/**
 * Types of events from the events themselves: a bounded sample of what staging holds, the same sample for the same
 * table. Which events are in it is decided by a hash of their ids, so that no day and no order is preferred.
 */
import { sqlType } from '../../engine/engine.ts';
import { currentSnapshot } from '../../lake/lake.ts';
import { STAGING, STAGING_NAME } from '../../tables/tables.ts';
import type { TypesOptions } from '../transforms.ts';
import { type NamedShape, typesText } from './print.ts';
import { emptyShape, learn } from './shape.ts';

const NAMES_MAX = 5_000;
const DEPTH_MAX = 10;
const FIELDS_MAX = 200;

export async function observedTypes({ lake, engine, sample, files: most }: TypesOptions): Promise<string> {
  const shapes = new Map<string, NamedShape>();
  const staging = await lake.load(STAGING_NAME);
  const live = staging === undefined ? [] : (await lake.files(staging)).files;
  if (staging !== undefined && currentSnapshot(staging.metadata) !== undefined && live.length > 0) {
    const view = {
      schema: VIEWS,
      name: 'events',
      columns: STAGING.schema.fields.map(({ id, name, type }) => ({ id, name, type: sqlType(type) })),
      files: live.slice(-most),
    };
    await engine.defineViews([view]);
    const answer = await engine.query(sampleSql(sample));
    for await (const chunk of answer.chunks()) {
      for (const [name, document] of chunk) enter(shapes, { name: String(name), document: String(document) });
    }
  }
  return typesText([...shapes.values()], {
    fields: FIELDS_MAX,
    header: [
      'Made by `lakeward types` from the events in staging. Do not edit.',
      `Sampled: at most ${sample} documents of each name, from the newest ${most} files; ${NAMES_MAX} names, ${DEPTH_MAX} levels deep;`,
      `an object with more than ${FIELDS_MAX} keys is a Record. What is rarer than the sample is not in the types.`,
    ],
  });
}

const VIEWS = '__types';

/** Ids and names are sorted without their documents, which are read of the chosen ones alone. */
const sampleSql = (sample: number): string => `
  with chosen as (
    select event_uuid, event_name from (
      select event_uuid, event_name, dense_rank() over (order by event_name) as name_number,
        row_number() over (partition by event_name order by md5(event_uuid), event_uuid) as n
      from ${VIEWS}.events)
    where n <= ${sample} and name_number <= ${NAMES_MAX})
  select e.event_name, e.document from ${VIEWS}.events e semi join chosen c
    on c.event_uuid = e.event_uuid and c.event_name = e.event_name`;

function enter(
  shapes: Map<string, NamedShape>,
  { name, document }: { name: string; document: string },
): void {
  const named = shapes.get(name) ?? { name, shape: emptyShape() };
  shapes.set(name, named);
  learn(named.shape, JSON.parse(document), { depth: DEPTH_MAX, fields: FIELDS_MAX });
}
