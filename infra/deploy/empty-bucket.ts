/**
 * Empties a bucket of all its versions before Terraform takes it down, at moto alone. Terraform first suspends the
 * versioning and then deletes version by version; moto 5.2.1 takes a bucket whose versioning is suspended for one
 * without versions, and answers 500 where it meets a marker of a deletion (FakeDeleteMarker has no `dispose`).
 */
import {
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';

export async function emptyBucket(
  Bucket: string,
  where: {
    endpoint: string;
    region: string;
    credentials: { accessKeyId: string; secretAccessKey: string };
  },
): Promise<void> {
  const s3 = new S3Client({ ...where, forcePathStyle: true });
  try {
    // It may be suspended already, by an attempt that failed.
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    for (;;) {
      const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
      const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
      if (Objects.length === 0) return;
      const { Errors = [] } = await s3.send(
        new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }),
      );
      if (Errors.length > 0) throw new Error(`${Errors[0]!.Key} in ${Bucket}: ${Errors[0]!.Message}`);
    }
  } finally {
    s3.destroy();
  }
}
