/** What other parts of the project use of the command line: the reference pages, and the demo's corpus for tests. */
export { damage } from './demo/damage.ts';
export { simulate } from './demo/simulation.ts';
export { referencePages } from './reference.ts';
