/**
 * The role transforms: all of them, again and again. One that fails waits longer and longer until it is tried again;
 * the others do not wait for it.
 */
import { backoff, Failure, type Log } from '../base/base.ts';
import { rangesText, runTransforms, type TransformCommit } from '../transforms/transforms.ts';
import { projectOf } from './project-transforms.ts';
import type { RolesOptions } from './roles.ts';

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10 * 60_000;

export interface Transformer {
  /** Begins no run after `signal`; `interrupt` ends one that is under way. Never rejects for a transform that fails. */
  repeat(signal: AbortSignal, interrupt: AbortSignal): Promise<void>;
  /** All of them once, also those that wait for another try. */
  run(signal: AbortSignal): Promise<void>;
}

export function transformer(options: RolesOptions): Transformer {
  const { clock, settings, transforms = [] } = options;
  const waiting = new Map<string, { failures: number; until_ms: number }>();
  const runNamed = async (names: readonly string[], signal: AbortSignal) => {
    if (names.length === 0) return;
    for (const { name, failure } of await runTransforms(projectOf(options, signal), names)) {
      options.onTransformRan?.(name, failure);
      if (failure === undefined) {
        waiting.delete(name);
        continue;
      }
      const failures = waiting.get(name)?.failures ?? 0;
      const pause_ms = backoff(failures, {
        first_ms: FIRST_RETRY_MS,
        most_ms: LAST_RETRY_MS,
        random: Math.random,
      });
      waiting.set(name, { failures: failures + 1, until_ms: clock.now() + pause_ms });
    }
  };
  const all = transforms.map(({ name }) => name);
  return {
    async repeat(signal, interrupt) {
      while (!signal.aborted && all.length > 0) {
        const due = all.filter((name) => (waiting.get(name)?.until_ms ?? 0) <= clock.now());
        await runNamed(due, interrupt);
        await clock.sleep(settings['transforms.every'], signal);
      }
    },
    run: (signal) => runNamed(all, signal),
  };
}

/** Both go to the log; `failed` holds the names of those whose last run failed. */
export function transformObservers({ log }: { log: Log }, failed = new Set<string>()) {
  return {
    onTransform: ({ name, run }: TransformCommit) => {
      const { kind, rows, removed, days, took_ms } = run;
      log.info('transform.committed', `marts.${name}`, {
        kind,
        rows,
        removed,
        days: rangesText(days),
        took_ms,
      });
    },
    onTransformRan: (name: string, failure: unknown) => {
      failed.delete(name);
      if (failure === undefined) return;
      failed.add(name);
      const known = failure instanceof Failure ? failure : undefined;
      log.error('transform.failed', known?.message ?? `transform ${name} failed`, {
        transform: name,
        code: known?.code,
        // What the engine quotes may be of an event, and the log holds nothing of events.
        why: (known?.why ?? String(failure)).replace(/'[^']*'/g, "'…'"),
        hint: known?.hint,
      });
    },
  };
}
