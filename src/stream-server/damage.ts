import { Failure } from '../base/base.ts';

/** The folder holds something that no crash of ours leaves behind. Going on would hide lost records. */
export function damaged(path: string, why: string): Failure {
  return new Failure(`the embedded stream's file ${path} is damaged`, {
    code: 'stream_server.damaged',
    fault: 'service',
    why,
    hint: 'put the folder back from a copy; to start with an empty stream, move the folder away',
  });
}
