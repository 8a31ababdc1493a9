/** Which transform runs after which: one that reads a mart runs after the one that makes it. */
import { Failure } from '../base/base.ts';
import type { Transform } from './define.ts';

/** Throws Failure `transform.bad_definition` for a mart that nobody makes, two of one name, and a cycle. */
export function inOrder(transforms: readonly Transform[]): Transform[] {
  const byName = new Map<string, Transform>();
  for (const transform of transforms) {
    if (byName.has(transform.name)) {
      throw problem(`two transforms are named ${transform.name}`, {
        why: 'they would write the same table',
        hint: 'rename one of them',
      });
    }
    byName.set(transform.name, transform);
  }
  const done: Transform[] = [];
  const visit = (transform: Transform, path: readonly string[]): void => {
    if (done.includes(transform)) return;
    const { name } = transform;
    if (path.includes(name)) {
      throw problem(
        `transforms read each other in a circle: ${[...path.slice(path.indexOf(name)), name].join(' → ')}`,
        {
          why: 'each would have to run before the other',
          hint: 'let one of them read events instead of a mart',
        },
      );
    }
    for (const upstream of upstreamOf(transform, byName)) visit(upstream, [...path, name]);
    done.push(transform);
  };
  for (const transform of [...transforms].sort((a, b) => (a.name < b.name ? -1 : 1))) visit(transform, []);
  return done;
}

function upstreamOf(transform: Transform, byName: ReadonlyMap<string, Transform>): Transform[] {
  return transform.from.flatMap((source) => {
    if (typeof source === 'string') return [];
    const upstream = byName.get(source.mart);
    if (upstream === undefined) {
      throw problem(`transform ${transform.name} reads the mart ${source.mart}, which no transform makes`, {
        why: `there are ${[...byName.keys()].join(', ')}`,
        hint: 'mend the name, or add the transform',
      });
    }
    checkReads(transform, upstream);
    return [upstream];
  });
}

function checkReads({ name, mode }: Transform, upstream: Transform): void {
  if (mode === 'append' && upstream.mode !== 'append') {
    throw problem(`transform ${name} appends from ${upstream.name}, whose days are replaced`, {
      why: 'a row that was computed anew would be taken a second time',
      hint: "take mode: 'partitions' for it",
    });
  }
  if (mode === 'partitions' && upstream.partition === undefined) {
    throw problem(`transform ${name} computes days from ${upstream.name}, which has none`, {
      why: `${upstream.name} is not partitioned by day, so nothing says which days changed`,
      hint: `give ${upstream.name} a partition`,
    });
  }
}

function problem(message: string, details: { why: string; hint: string }): Failure {
  return new Failure(message, {
    code: 'transform.bad_definition',
    fault: 'user',
    docs: 'docs/reference/transforms.md',
    ...details,
  });
}
