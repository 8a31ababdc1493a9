import { stat } from 'node:fs';

const EVERY_MS = 1_000;

/**
 * Older versions of glibc can lose the signal that wakes a waiting thread (sourceware.org, bug 25847), and then a task
 * lies in Node's pool of threads until the next one comes; where everything waits for that task, for ever. What looks
 * like it was seen once, after 710 rounds of kills on glibc 2.36: all threads of the pool waited, and for eight minutes
 * a file was not read. So a task is handed in once a second. Keeps no process alive. `task` must go through the pool.
 */
export function keepPoolAwake(task: () => void = () => stat('/', () => {})): NodeJS.Timeout {
  return setInterval(task, EVERY_MS).unref();
}
