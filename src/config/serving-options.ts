/** Rows of the table of options: how the catalog is served to other programs. */
import { choice, count, text } from './kinds.ts';
import { option, unset } from './option.ts';

const SERVING = ['dev', 'serve catalog'] as const;

export const SERVING_OPTIONS = {
  'serve.catalog': option(choice('on', 'off'), 'on', {
    description: 'Whether dev serves the tables to other programs too, as serve catalog does.',
    example: 'off',
    commands: ['dev'],
  }),
  'serve.host': option(text('ADDRESS'), '127.0.0.1', {
    description:
      'Address that the catalog is served on. Anything but loopback lets other machines reach every table, and needs serve.token.',
    example: '0.0.0.0',
    commands: SERVING,
  }),
  'serve.port': option(count({ max: 65535 }), 8181, {
    description:
      'Port that the catalog is served on; 0 takes any free one. When it is taken, dev uses the next free one and names it.',
    example: '8200',
    commands: SERVING,
  }),
  'serve.token': unset(text('TOKEN'), {
    description:
      'What programs must send as bearer token. Better in the environment than as a flag, which other users of the machine see.',
    example: 's3cr3t',
    commands: SERVING,
  }),
  'serve.warehouse': unset(text('NAME'), {
    description: 'A program that asks for a warehouse of another name is refused. Unset: every name will do.',
    example: 'lake',
    commands: SERVING,
  }),
  'serve.credentials': option(choice('client', 'server'), 'client', {
    description:
      'With which credentials other programs reach the files of a lake on S3: their own, or those of the serving process, which everyone who may load a table is then told.',
    example: 'server',
    commands: SERVING,
  }),
} as const;
