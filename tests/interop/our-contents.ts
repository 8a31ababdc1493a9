/** A table's rows in figures, from our files, with our engine. */
import { ASKED, type Contents, contentsOf } from './questions.ts';
import type { WrittenLake } from './written-lake.ts';

const BYTES: Readonly<Record<string, string>> = {
  document: 'to_base64(encode(document))',
  bytes: 'to_base64(bytes)',
};

export async function ourContents(written: WrittenLake, name: string): Promise<Contents> {
  const { key, group, time, content } = ASKED[name]!.columns;
  const rows = await written.rows(name, `${key}, ${group}, epoch_us(${time})::varchar, ${BYTES[content]}`);
  return contentsOf(
    (rows as [string, string, string, string][]).map(([k, g, us, bytes]) => ({
      ...{ key: k, group: g, us: BigInt(us) },
      content: Buffer.from(bytes, 'base64'),
    })),
  );
}
