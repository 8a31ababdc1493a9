import type { Tally } from '../../event/event.ts';
import { type Verified, verifyLake } from '../../verify/verify.ts';
import type { VerifyAction } from '../commands/verify.ts';
import { composeEngine, composeLake, composeStreamThere, spoolFolder } from '../compose.ts';
import { EXIT } from '../exit.ts';
import { figure } from '../figures.ts';
import type { Paint } from '../paint.ts';
import { eventLimits } from '../roles.ts';

export const verify: VerifyAction = async (context) => {
  const { settings, out, signal } = context;
  await using lake = await composeLake(context, 'reads');
  await using opened = await composeStreamThere(context, async () => lake);
  await using engine = await composeEngine(context, lake, 'batches');
  await using spools = await spoolFolder(context);
  const verified = await verifyLake({
    lake,
    engine,
    log: context.log,
    clock: context.clock,
    // Another service's stream is read by others too; recounting it would take their share of its throughput.
    stream: opened?.embedded ? opened.stream : undefined,
    limits: eventLimits(settings),
    deep: context.flags.deep,
    spoolFolder: spools.path,
    maxRows: settings['commit.maxRows'],
    maxBytes: settings['commit.maxBytes'],
    onProgress: (text) => out.note(`${text} …`),
    signal,
  });
  await out.result(verified, (paint) => verdict(verified, paint));
  const left = unproved(verified, {
    stream: settings['stream.name'],
    is: opened === undefined ? 'missing' : opened.embedded ? 'embedded' : 'elsewhere',
  });
  if (left !== undefined) out.note(left);
  return verified.findings.length === 0 ? EXIT.ok : EXIT.differences;
};

/** What a proof without the stream's checks does not say; undefined when it has them, or there is no lake. */
export function unproved(
  { checks }: Pick<Verified, 'checks'>,
  { stream, is }: { stream: string; is: keyof typeof NOT_RECOUNTED },
): string | undefined {
  if (checks.length === 0 || checks.some(({ code }) => code.startsWith('stream.'))) return undefined;
  return `stream ${stream} was not recounted: ${NOT_RECOUNTED[is]}`;
}

const NOT_RECOUNTED = {
  embedded: 'raw has no position in it',
  elsewhere: 'only the embedded one is',
  missing: 'there is none of this name in the folder',
} as const;

/** The ledger as one sentence. */
export function ledgerSentence({ received, written, duplicate, quarantined }: Tally): string {
  return `${figure(received)} received = ${figure(written)} written + ${figure(duplicate)} duplicate + ${figure(quarantined)} quarantined`;
}

export function verdict(
  { checks, findings, ledger, waiting, events, expired }: Verified,
  paint: Paint,
): string {
  if (checks.length === 0)
    return 'No tables yet, and nothing to prove: `lakeward dev` makes them; --dir names another folder.\n';
  const lines = checks.map(({ text, ok }) => `${ok ? paint.green('✓') : paint.red('✗')} ${text}`);
  for (const { code, what, expected, found } of findings) {
    lines.push('', paint.red(`${code}: ${what}`), `  expected ${expected}`, `  found    ${found}`);
  }
  lines.push(
    '',
    paint.bold(ledgerSentence(ledger)),
    `${figure(events)} events in staging${findings.length === 0 ? ', each once' : ''}`,
  );
  if (waiting > 0) lines.push(`${figure(waiting)} rows of raw are on their way to staging`);
  for (const range of expired) lines.push(expiredSentence(range));
  return `${lines.join('\n')}\n`;
}

function expiredSentence({
  stream,
  shard,
  from,
  to,
  since_ms,
  until_ms,
}: Verified['expired'][number]): string {
  const time = (at_ms: number | undefined, unknown: string) =>
    at_ms === undefined ? unknown : new Date(at_ms).toISOString();
  return `${shard} of ${stream}: records between ${from} and ${to}, arrived between ${time(since_ms, 'its beginning')} and ${time(until_ms, 'its end')}, may have expired unread`;
}
