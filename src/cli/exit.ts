/** Exit codes, and which of them a failure ends with. Scripts depend on them: a code's meaning never changes. */
import type { Failure } from '../base/base.ts';

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  differences: 3,
  credentials: 4,
  tryAgain: 5,
  bug: 70,
  stopped: 130,
} as const;

/** Also 143: stopped at once by a second SIGTERM. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT] | 143;

/** Of a command that opens a lake, whose store and catalog may be services. */
export const EXITS_OF_LAKE = [EXIT.credentials, EXIT.tryAgain] as const;

export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'failed; the message says why and what to do',
  2: 'the command line or the configuration is wrong; nothing was done',
  3: 'the check ran and found differences',
  4: 'credentials are missing, wrong or not allowed to do this',
  5: 'a service did not answer as it should; the same again later may work',
  70: 'a bug in lakeward; please report it',
  130: 'stopped by Ctrl-C before its work was done; what it committed stays',
  143: 'stopped at once by a second SIGTERM',
};

const CREDENTIALS =
  /(^|\.|_)(credentials?|access_denied|forbidden|unauthori[sz]ed|expired_token|unrecognized_client)(_|$)/;

export function exitCodeOf(failure: Failure): ExitCode {
  if (/^(cli\.usage|config\.)/.test(failure.code)) return EXIT.usage;
  if (CREDENTIALS.test(failure.code)) return EXIT.credentials;
  if (failure.fault === 'ourselves') return EXIT.bug;
  return failure.fault === 'service' && failure.retry !== 'never' ? EXIT.tryAgain : EXIT.failed;
}
