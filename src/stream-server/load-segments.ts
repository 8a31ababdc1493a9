import type { Log } from '../base/base.ts';
import { damaged } from './damage.ts';
import type { LogFiles } from './log-files.ts';
import { Segment } from './segment.ts';
import {
  firstIndexOf,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment-header.ts';

interface Found {
  segment: Segment;
  header: SegmentHeader;
  size: number;
}

/**
 * The segments of a shard's folder, oldest first. All but the last were complete and durable before their successor
 * was begun, so anything missing of them is damage; the last may end in what a crash left half written, which was
 * never acknowledged and is cut off.
 */
export async function loadSegments(files: LogFiles, folder: string, log: Log): Promise<Segment[]> {
  const names = await files.list(folder);
  const found: Found[] = [];
  for (const name of names.filter((n) => firstIndexOf(n) !== undefined).sort()) {
    const one = await findSegment(files, `${folder}/${name}`, firstIndexOf(name)!);
    if (one) found.push(one);
    else
      log.warn(
        'stream_server.unfinished_segment',
        'Removed a segment file that a crash left without records',
      );
  }
  for (const [at, one] of found.entries()) await settle(files, one, found[at + 1]?.header, log);
  return found.map(({ segment }) => segment);
}

/** Undefined when the file was only just begun: its header is synced before any record is written behind it. */
async function findSegment(files: LogFiles, path: string, firstIndex: number): Promise<Found | undefined> {
  const file = await files.open(path, 'read');
  try {
    const size = await file.size();
    const header = await readSegmentHeader(file);
    if (header?.firstIndex === firstIndex) return { segment: new Segment(path, header), header, size };
    if (size > SEGMENT_HEADER_BYTES) throw damaged(path, 'its header is not what was written');
  } finally {
    await file.close();
  }
  await files.remove(path);
  return undefined;
}

async function settle(
  files: LogFiles,
  found: Found,
  next: SegmentHeader | undefined,
  log: Log,
): Promise<void> {
  const { segment, size } = found;
  const account = next?.previous;
  if (account?.firstIndex === segment.firstIndex) {
    if (size < account.bytes) throw damaged(segment.path, `${size} bytes of ${account.bytes} are there`);
    segment.settle(account);
    return;
  }
  const file = await files.open(segment.path, 'read and write');
  try {
    const torn_bytes = await segment.recover(file);
    if (torn_bytes === 0) return;
    await file.truncate(segment.bytes);
    await file.sync();
    log.warn(
      'stream_server.tail_cut',
      'Cut off records that a crash left half written; none was acknowledged',
      {
        path: segment.path,
        bytes: torn_bytes,
      },
    );
  } finally {
    await file.close();
  }
}
