/**
 * A command of the Makefile, and what a person reads when it cannot go on: what happened, why, how to fix it, where to
 * read on. Only a mistake of ours shows where in the code it was.
 */

/** What somebody can mend who knows no line of this code. */
export class Stopped extends Error {
  readonly what: string;
  readonly why: string;
  readonly fix: string | undefined;
  /** What another program said, to be shown as it is. */
  readonly said: string | undefined;

  constructor(what: string, about: { why: string; fix?: string; said?: string; cause?: unknown }) {
    super([`${what}: ${about.why}`, ...(about.said ? [about.said] : [])].join('\n'), { cause: about.cause });
    this.what = what;
    this.why = about.why;
    this.fix = about.fix;
    this.said = about.said;
  }
}

/** `again`: how to go on when the error itself does not know. */
export async function asCommand(
  { name, again }: { name: string; again: string },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    console.error(stoppedText(name, error, again));
    process.exitCode = 1;
  }
}

export function stoppedText(name: string, { what, why, fix, said }: Stopped, again: string): string {
  const lines = [`${name}: ${what}`, `  why   ${why}`, `  fix   ${fix ?? again}`];
  const shown = said === undefined || said === '' ? [] : [said, ''];
  return [...shown, ...lines, '  read  docs/how-to/deploy.md'].join('\n');
}
