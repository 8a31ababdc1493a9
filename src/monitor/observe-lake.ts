/**
 * A lake that tells what became of its commits and whether catalog and store answered. It stands between roles and
 * lake, so that no role counts or times anything itself.
 */
import { type Clock, Failure } from '../base/base.ts';
import type { CommitOutcome, Lake } from '../lake/lake.ts';

export interface CommitSeen {
  table: string;
  outcome: CommitOutcome['kind'] | 'failed';
  attempts: number;
  duration_ms: number;
}

export interface LakeObserver {
  clock: Clock;
  onCommit(seen: CommitSeen): void;
  /** It did what it was asked. */
  onAnswer(service: 'catalog' | 'store'): void;
  onFailure(failure: Failure): void;
}

export function observedLake(lake: Lake, observer: LakeObserver): Lake {
  const answered = async <T>(asking: Promise<T>, ...by: ('catalog' | 'store')[]): Promise<T> => {
    try {
      const answer = await asking;
      for (const service of by) observer.onAnswer(service);
      return answer;
    } catch (error) {
      if (error instanceof Failure) observer.onFailure(error);
      throw error;
    }
  };
  return {
    ...lake,
    load: (name) => answered(lake.load(name), 'catalog'),
    create: (name, definition, first) => answered(lake.create(name, definition, first), 'catalog'),
    list: () => answered(lake.list()),
    prepare: (table, files) => answered(lake.prepare(table, files), 'store'),
    files: (table, query) => answered(lake.files(table, query), 'store'),
    async commit(table, change) {
      const begun_ms = observer.clock.now();
      const tell = (outcome: CommitSeen['outcome'], attempts: number) =>
        observer.onCommit({
          table: table.name,
          outcome,
          attempts,
          duration_ms: observer.clock.now() - begun_ms,
        });
      try {
        const done = await answered(lake.commit(table, change), 'catalog', 'store');
        tell(done.kind, done.kind === 'committed' ? done.attempts : 1);
        return done;
      } catch (error) {
        tell('failed', 1);
        throw error;
      }
    },
  };
}
