/**
 * Many stores that speak S3 ignore If-Match and If-None-Match: each of two writers is told that it won, and the commit
 * of one is lost without a word. (Of four emulators tried, three did, in 20 races of 20.) So a store is tried before
 * it is trusted, in sequence and with two writers at once, under a name that nobody else has.
 */
import { Failure } from '../../base/base.ts';
import type { ObjectStore } from '../../object-store/object-store.ts';

const WRITERS = ['one', 'another'] as const;

export async function probeConditions(
  store: ObjectStore,
  { folder, token }: { folder: string; token: () => string },
): Promise<void> {
  const location = `${folder}/probe-${token()}`;
  // Equal bytes may be taken for one writer's, so every write has bytes of its own.
  const bytes = () => Buffer.from(token());
  try {
    const why = (await createsOnce(store, location, bytes)) ?? (await swapsOnce(store, location, bytes));
    if (why !== undefined) throw refused(store, why);
  } finally {
    // What stays is a few bytes that nothing reads.
    await store.delete([location]).catch(() => {});
  }
}

type Bytes = () => Uint8Array;

async function createsOnce(store: ObjectStore, location: string, bytes: Bytes): Promise<string | undefined> {
  const first = bytes();
  if (!(await store.writeIfAbsent(location, first))) return 'a new object is said to exist already';
  if (await store.writeIfAbsent(location, bytes()))
    return 'If-None-Match is ignored: an object was created twice';
  return (await holds(store, location, first)) ? undefined : 'a creation that was refused changed the object';
}

async function swapsOnce(store: ObjectStore, location: string, bytes: Bytes): Promise<string | undefined> {
  const stale = await etagOf(store, location);
  const contents = WRITERS.map(bytes);
  const wins = await Promise.all(contents.map((content) => store.writeIfMatch(location, content, stale)));
  const winners = contents.filter((_, at) => wins[at]);
  const winner = winners[0];
  if (winner === undefined) return 'an object could not be replaced under its own etag';
  if (winners.length > 1) return 'If-Match is ignored: two writers both replaced an object under one etag';
  if (await store.writeIfMatch(location, bytes(), stale))
    return 'If-Match is ignored: a stale etag was taken';
  return (await holds(store, location, winner)) ? undefined : 'a swap that was refused changed the object';
}

async function etagOf(store: ObjectStore, location: string): Promise<string> {
  const found = await store.head(location);
  if (found === undefined) throw refused(store, 'an object that was just written cannot be found');
  return found.etag;
}

async function holds(store: ObjectStore, location: string, expected: Uint8Array): Promise<boolean> {
  return Buffer.compare(await store.read(location), expected) === 0;
}

function refused(store: ObjectStore, why: string): Failure {
  return new Failure(`cannot keep a catalog in ${store.root}`, {
    code: 'catalog.no_conditional_writes',
    fault: 'user',
    why,
    hint: 'use the sqlite or a rest catalog, or a store with conditional writes (Amazon S3, MinIO, R2, GCS …)',
  });
}
