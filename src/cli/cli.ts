/** What other parts of the project use of the command line: the reference pages, corpora and records for tests. */
export { damage } from './demo/damage.ts';
export { simulate } from './demo/simulation.ts';
export { fileSource, recordsOf } from './records.ts';
export { referencePages } from './reference.ts';
