import { defineConfig } from 'vitest/config';

// One project per suite, so that `make test` can run and time each alone.
const suite = (name: string, include: string[], timeout_ms: number, exclude: string[] = []) => ({
  test: {
    name,
    include,
    exclude,
    testTimeout: timeout_ms,
    hookTimeout: timeout_ms,
    pool: 'forks' as const,
    // DuckDB's queries and the file system share this pool; see bin/lakeward.
    env: { UV_THREADPOOL_SIZE: '16' },
  },
});

// Of their own: their processes take a gigabyte each and half a minute to warm up.
const SPARK = 'tests/interop/spark.test.ts';
const SPARK_ENGINE = ['tests/spark/**/*.test.ts', 'src/**/*.on-server.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      suite('structure', ['tests/structure/**/*.test.ts'], 60_000),
      suite(
        'unit',
        ['src/**/*.test.ts', 'tests/contracts/**/*.test.ts', 'tests/support/**/*.test.ts'],
        60_000,
        SPARK_ENGINE,
      ),
      suite('scenarios', ['tests/scenarios/**/*.test.ts'], 120_000),
      suite('crashes', ['tests/crashes/**/*.test.ts'], 900_000),
      suite('interop', ['tests/interop/**/*.test.ts'], 300_000, [SPARK]),
      suite('spark', [SPARK, ...SPARK_ENGINE], 300_000),
      suite('infra', ['tests/infra/**/*.test.ts'], 300_000),
      suite('deployment', ['tests/deployment/**/*.test.ts'], 1_200_000),
      suite('image', ['tests/image/**/*.test.ts'], 400_000),
      suite('end-to-end', ['tests/end-to-end/**/*.test.ts'], 300_000),
    ],
  },
});
