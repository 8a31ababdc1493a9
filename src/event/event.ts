/** What an event is: its identity, its ledger, and the one table of reasons for what is none. */
export { identityOf } from './identity.ts';
export { copyKey, hashAt, IdentitySet, identityHash } from './identity-set.ts';
export { CRASHED_ENGINE, type JudgedReason, REASONS, type Reason, type ReasonCode } from './reasons.ts';
export { addTally, emptyTally, type Tally, tallyBalances } from './tally.ts';
