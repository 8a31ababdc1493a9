import type { Check, Finding } from './verify.ts';

/** Collects checks; one that does not hold leaves a finding. */
export class Checklist {
  readonly checks: Check[] = [];
  readonly findings: Finding[] = [];

  equal(code: string, text: string, { expected, found }: { expected: number; found: number }): void {
    this.holds(code, text, { ok: expected === found, expected: figure(expected), found: figure(found) });
  }

  holds(
    code: string,
    text: string,
    { ok, expected, found }: { ok: boolean; expected: string; found: string },
  ): void {
    this.checks.push({ code, text, ok });
    if (!ok) this.findings.push({ code, what: text, expected, found });
  }
}

export const figure = (n: number): string => n.toLocaleString('en-US');
