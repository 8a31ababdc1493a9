/** Work on a connection that ends when somebody asks for it. */
import type { DuckDBConnection } from '@duckdb/node-api';

/**
 * DuckDB forgets an interrupt that comes between two statements, so it is told until the work has ended. What is
 * answered has to be called then, before the connection is closed.
 */
export function interruptible(c: DuckDBConnection, signal: AbortSignal | undefined): () => void {
  let telling: NodeJS.Timeout | undefined;
  const interrupt = () => {
    c.interrupt();
    telling = setInterval(() => c.interrupt(), 50);
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  return () => {
    signal?.removeEventListener('abort', interrupt);
    clearInterval(telling);
  };
}
