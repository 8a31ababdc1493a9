/** Terraform with the AWS provider, where this machine has both; what is missing is the reason to skip. */
import { describe } from 'vitest';
import { findProviders, type Providers, terraformMissing } from '../../infra/deploy/providers.ts';
import { workingCopy } from '../../infra/deploy/working-copy.ts';

export type Found = { providers: Providers; missing: undefined } | { missing: string };

/** Where `CI` is set, missing is an error. */
export async function findTerraform(): Promise<Found> {
  const missing = await whatIsMissing();
  if (missing === undefined) return { providers: await findProviders(), missing };
  if (process.env['CI']) throw new Error(missing);
  return { missing };
}

/** A suite that is skipped, with the reason in its title, when something is missing. */
export function describeWithTerraform(
  found: Found,
  title: string,
  tests: (providers: Providers) => void,
): void {
  if (found.missing === undefined) describe(title, () => tests(found.providers));
  else describe.skip(`${title} (${found.missing})`, () => tests({ from: '', env: {} }));
}

async function whatIsMissing(): Promise<string | undefined> {
  const missing = await terraformMissing();
  if (missing !== undefined) return missing;
  return findProviders()
    .then((providers) => workingCopy('lakeward', providers))
    .then(
      () => undefined,
      (error: unknown) => `the AWS provider cannot be had: ${lastLine(error)}`,
    );
}

const lastLine = (error: unknown): string => String(error).trimEnd().split('\n').at(-1) ?? '';
