import { Failure } from '../base/base.ts';

export function notFound(location: string, cause?: unknown): Failure {
  return new Failure(`there is no object ${location}`, {
    code: 'object_store.not_found',
    fault: 'user',
    why: 'it was never written, or something removed it',
    hint: 'if a table names it, something other than Lakeward deleted it: restore it, or roll the table back',
    cause,
  });
}

/** A conditional write that ended in neither done nor refused: it may have happened, and may happen still. */
export function unknownOutcome(location: string, cause: unknown): Failure {
  return new Failure(`cannot learn whether ${location} was written`, {
    code: 'object_store.unknown',
    fault: 'service',
    retry: 'refresh',
    why: cause instanceof Failure ? (cause.why ?? cause.message) : String(cause),
    hint: 'read it again before anything is decided: the write may have been carried out',
    cause,
  });
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code;

export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '');
/** For `catch`: undefined where there is nothing, any other error goes on. */
export function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

export const isPresent = (error: unknown): boolean => codeOf(error) === 'EEXIST';
export const isOtherDevice = (error: unknown): boolean => codeOf(error) === 'EXDEV';
/** File systems without hard links (exFAT, some network and FUSE mounts) answer with one of these. */
export const isUnsupported = (error: unknown): boolean =>
  ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error) ?? '');

/** An operating system's error as a Failure: `attempt` says what was being done. */
export function diskFailure(attempt: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const why = error instanceof Error ? error.message : String(error);
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure(`${attempt}: the disk is full`, {
        code: 'object_store.full',
        fault: 'user',
        retry: 'backoff',
        why,
        hint: 'free some space, or put the lake in a folder on a larger disk; nothing that was acknowledged is lost',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Failure(`${attempt}: not allowed`, {
        code: 'object_store.denied',
        fault: 'user',
        why,
        hint: 'give the user that runs Lakeward the right to read and write this folder',
        cause: error,
      });
    case 'EMFILE':
    case 'ENFILE':
      return new Failure(`${attempt}: too many open files`, {
        code: 'object_store.busy',
        fault: 'user',
        retry: 'backoff',
        why,
        hint: 'raise the limit of open files (ulimit -n)',
        cause: error,
      });
    case 'ENOENT':
      return new Failure(attempt, {
        code: 'object_store.failed',
        fault: 'user',
        retry: 'backoff',
        why,
        hint: 'a folder or file was removed meanwhile: let nothing else tidy up in the lake',
        cause: error,
      });
    default:
      return new Failure(attempt, { code: 'object_store.failed', fault: 'service', why, cause: error });
  }
}
