/** Rows of the table of options: how store and catalog of a lake are reached. */
import { bytes, choice, count, duration, flag, text, url } from './kinds.ts';
import { option, unset } from './option.ts';

/** Set once for a deployment, or secret: from the environment or the file only. */
const NOT_A_FLAG = [] as const;

export const STORE_OPTIONS = {
  'store.region': unset(text('REGION'), {
    description: 'Region of the bucket.',
    example: 'eu-west-1',
    commands: NOT_A_FLAG,
    alsoEnvironment: ['AWS_REGION'],
  }),
  'store.pathStyle': unset(flag(), {
    description:
      'Whether the bucket stands in the path of an address instead of the host name. Unset: where there is a store.endpoint.',
    example: 'true',
    commands: NOT_A_FLAG,
  }),
  'store.requests': option(count({ min: 1, max: 1000 }), 16, {
    description: 'Requests to the store at once.',
    example: '64',
    commands: NOT_A_FLAG,
  }),
  'store.partSize': option(bytes({ min: 5 * 1024 * 1024 }), '8MiB', {
    description: 'Larger files are uploaded in parts of this size.',
    example: '16MiB',
    commands: NOT_A_FLAG,
  }),
  'store.uploadMemory': option(bytes({ min: 5 * 1024 * 1024 }), '64MiB', {
    description: 'Memory that all uploads together take at most.',
    example: '256MiB',
    commands: NOT_A_FLAG,
  }),
  'store.timeout': option(duration({ min: 1_000 }), '30s', {
    description:
      'How long the store may say nothing before a request is given up, and repeated where that is safe. Uploads are given more, by their size.',
    example: '10s',
    commands: NOT_A_FLAG,
  }),
  'store.cache': option(bytes({ min: 64_000_000 }), '10GB', {
    description:
      'Disk that local copies of what is read from the store take at most. Bounds what one question or batch can read at once.',
    example: '50GB',
    commands: NOT_A_FLAG,
  }),
} as const;

export const TABLE_OPTIONS = {
  'table.formatVersion': option(choice('2', '3'), '2', {
    description:
      'Iceberg format version of tables that are made; those that are there keep theirs. Version 3 gives every row an id, and not every reader takes it.',
    example: '3',
    commands: NOT_A_FLAG,
  }),
} as const;

export const CATALOG_OPTIONS = {
  'catalog.warehouse': unset(text('NAME'), {
    description:
      'Which of the service’s catalogs: an account for Glue, a bucket’s ARN for S3 Tables, a name elsewhere.',
    example: '123456789012',
    commands: NOT_A_FLAG,
  }),
  'catalog.auth': option(choice('none', 'bearer', 'oauth2', 'sigv4'), 'none', {
    description: 'How the service is told who asks.',
    example: 'sigv4',
    commands: NOT_A_FLAG,
  }),
  'catalog.token': unset(text('TOKEN'), {
    description: 'For bearer.',
    example: 's3cr3t',
    commands: NOT_A_FLAG,
  }),
  'catalog.client': unset(text('ID:SECRET'), {
    description: 'For oauth2, the client credentials.',
    example: 'lakeward:s3cr3t',
    commands: NOT_A_FLAG,
  }),
  'catalog.scope': unset(text('SCOPE'), {
    description: 'For oauth2, what is asked for.',
    example: 'PRINCIPAL_ROLE:ALL',
    commands: NOT_A_FLAG,
  }),
  'catalog.tokenUri': unset(url(), {
    description: 'For oauth2, who gives tokens. Unset: the catalog itself.',
    example: 'https://login.example.com/oauth2/token',
    commands: NOT_A_FLAG,
  }),
  'catalog.service': option(text('NAME'), 'glue', {
    description: 'For sigv4, the service that requests are signed for.',
    example: 's3tables',
    commands: NOT_A_FLAG,
  }),
} as const;
