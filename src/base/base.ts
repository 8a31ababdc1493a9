/** What every module may lean on. Imports nothing of ours. */
export { type BackoffOptions, backoff, type RetryOptions, retrying } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export { eachBounded } from './each-bounded.ts';
export { Failure, type FailureDetails, type Fault, type Retry } from './failure.ts';
export { Gate } from './gate.ts';
export { type JsonValue, parseJson, stringifyJson } from './json.ts';
export { type Listening, listening } from './listening.ts';
export { createLog, type Fields, type Level, type Log, silentLog } from './log.ts';
export { limitedLog } from './log-limit.ts';
export { hostName, isLoopback } from './loopback.ts';
export { makeFolder } from './make-folder.ts';
export { BoundedQueue } from './queue.ts';
export { Sha256 } from './sha256.ts';
export { Turns } from './turns.ts';
export { importProblem, importUserModule } from './user-module.ts';
export { keepPoolAwake } from './wakeful-pool.ts';
