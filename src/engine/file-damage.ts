import { Failure } from '../base/base.ts';

/**
 * Whether a failure over files may come of the files themselves. A store that is away, a full disk and too little memory
 * say nothing of a file.
 */
export const mayBeDamage = (error: unknown): boolean =>
  error instanceof Failure && /^engine\.(unreadable|failed|crashed)$/.test(error.code);
