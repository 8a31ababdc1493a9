import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, onTestFinished } from 'vitest';
import { openEngine } from '../../src/engine/engine.ts';
import { judgingContract } from './engine-judging.ts';
import { rewritingContract } from './engine-rewriting.ts';
import { stagingContract } from './engine-staging.ts';

async function open(folder: string) {
  const workFolder = join(folder, 'duckdb');
  await mkdir(workFolder);
  const engine = await openEngine({ workFolder, memory_bytes: 500e6, threads: 1 });
  onTestFinished(() => engine.close());
  return engine;
}

describe('DuckDB', () => {
  judgingContract(open);
  stagingContract(open);
  rewritingContract(open);
});
