/**
 * What each role needs beside the calls that a full run makes at an emulator: permissions that AWS checks behind a
 * call, calls that only a failure or a catalog makes that no emulator has, and calls of AWS itself. Each with its source.
 */

export interface Required {
  roles: readonly string[];
  actions: readonly string[];
  why: string;
  /** A page of AWS, or the place in this repository that makes the call. */
  source: string;
}

const WRITERS = ['processor', 'staging', 'transforms'];

export const REQUIRED: readonly Required[] = [
  {
    roles: ['processor'],
    actions: ['kms:Decrypt'],
    why: 'records of an encrypted stream are decrypted for whoever reads them',
    source: 'https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html',
  },
  {
    roles: ['producer'],
    actions: ['kms:GenerateDataKey'],
    why: 'records of an encrypted stream are encrypted for whoever puts them',
    source: 'https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html',
  },
  {
    roles: ['producer'],
    actions: ['kinesis:PutRecord'],
    why: 'producers are programs of others, and may put one by one',
    source: 'docs/how-to/send-with-aws-sdks.md',
  },
  {
    roles: WRITERS,
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    why: 'objects under SSE-KMS: a data key to write one, decrypting it to read one or to put an upload together',
    source: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html',
  },
  {
    roles: ['reader'],
    actions: ['kms:Decrypt'],
    why: 'objects under SSE-KMS are decrypted for whoever reads them',
    source: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html',
  },
  {
    roles: WRITERS,
    actions: ['s3:ListBucket'],
    why: 'without it S3 says "denied" instead of "not there", and what is not there is an answer that is needed',
    source: 'https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html',
  },
  {
    roles: WRITERS,
    actions: ['s3:AbortMultipartUpload'],
    why: 'an upload that failed leaves no parts behind; no upload of the smoke test fails',
    source: 'src/object-store/multipart.ts',
  },
  {
    roles: WRITERS,
    actions: [
      'glue:CreateTable',
      'glue:GetCatalog',
      'glue:GetDatabase',
      'glue:GetTable',
      'glue:GetTables',
      'glue:UpdateTable',
    ],
    why: 'the REST catalog of Glue checks the action of Glue for each request; no emulator has it',
    source: 'https://docs.aws.amazon.com/glue/latest/dg/iceberg-rest-apis.html',
  },
  {
    roles: ['reader'],
    actions: ['glue:GetCatalog', 'glue:GetDatabase', 'glue:GetTable', 'glue:GetTables'],
    why: 'the same, for requests that change nothing',
    source: 'https://docs.aws.amazon.com/glue/latest/dg/iceberg-rest-apis.html',
  },
  {
    roles: ['execution'],
    actions: [
      'ecr:BatchCheckLayerAvailability',
      'ecr:BatchGetImage',
      'ecr:GetAuthorizationToken',
      'ecr:GetDownloadUrlForLayer',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ],
    why: 'ECS pulls the image and writes the log before and beside the program',
    source: 'https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html',
  },
  {
    roles: ['scheduler'],
    actions: ['ecs:RunTask', 'iam:PassRole'],
    why: 'the scheduler starts tasks, and gives them their roles',
    source: 'https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html',
  },
];

export function requiredOf(role: string): string[] {
  return REQUIRED.filter(({ roles }) => roles.includes(role)).flatMap(({ actions }) => actions);
}
