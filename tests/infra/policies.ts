/** IAM documents in a plan, whatever attribute of whatever resource holds them. */
import type { PlannedResource } from '../../infra/deploy/plan-file.ts';

export interface PolicyDocument {
  Statement: Statement | Statement[];
}

export interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Action?: string | string[];
  Resource?: string | string[];
  Principal?: unknown;
  Condition?: unknown;
}

export function documentsOf(resources: readonly PlannedResource[]) {
  return resources.flatMap(({ address, values }) =>
    Object.values(values).flatMap((value) => {
      const document = typeof value === 'string' ? parsed(value) : undefined;
      return document === undefined ? [] : [{ address, document }];
    }),
  );
}

export function statementsOf({ Statement }: PolicyDocument): Statement[] {
  return [Statement].flat();
}

/** What the document allows with a star in it; what it denies may be as wide as it likes. */
export function wildcardsOf(document: PolicyDocument): string[] {
  return statementsOf(document)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action = [], Resource = [] }) => [
      ...[Action].flat().map((action) => `Action ${action}`),
      ...[Resource].flat().map((resource) => `Resource ${resource}`),
    ])
    .filter((each) => each.includes('*'));
}

function parsed(text: string): PolicyDocument | undefined {
  if (!text.startsWith('{"')) return undefined;
  const value = JSON.parse(text) as Partial<PolicyDocument>;
  return value.Statement === undefined ? undefined : (value as PolicyDocument);
}
