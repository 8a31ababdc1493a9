/**
 * moto's enforcement of policies, turned on and off, with the policies as it can read them. What it enforces (tried, with
 * moto 5.2.1): which actions an attached policy allows, by the signature's key. What it does not: resources of Kinesis
 * (it asks for "*"), of DeleteObjects (it asks for the bucket), and conditions, which it takes for refusals when they do
 * not hold. So statements lose their conditions and get every resource here; actions stay as they are.
 */
import { query } from '../../infra/deploy/emulator.ts';
import { type PolicyDocument, statementsOf } from '../infra/policies.ts';

export interface MotoPolicies {
  enforce(): Promise<void>;
  /** As it is at the start: everybody may do everything. */
  relax(): Promise<void>;
  /** Gives a role only what the policy allows. Only while nothing is enforced. */
  giveRole(role: string, policy: PolicyDocument): Promise<void>;
  /** A user with what the policy allows, and its keys. Only while nothing is enforced. */
  makeUser(user: string): Promise<{ accessKeyId: string; secretAccessKey: string }>;
  giveUser(user: string, policy: PolicyDocument): Promise<void>;
}

export function motoPolicies(endpoint: string): MotoPolicies {
  const iam = (Action: string, parameters: Record<string, string>) =>
    query(endpoint, { service: 'iam', parameters: { Action, Version: '2010-05-08', ...parameters } });
  const count = async (calls: string) => {
    const { status } = await fetch(`${endpoint}/moto-api/reset-auth`, { method: 'POST', body: calls });
    if (status !== 200) throw new Error(`moto answered ${status}`);
  };
  const document = (policy: PolicyDocument) => ({
    PolicyName: 'under-test',
    PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: readable(policy) }),
  });
  return {
    enforce: () => count('0'),
    relax: () => count('inf'),
    async giveRole(RoleName, policy) {
      const attached = await iam('ListAttachedRolePolicies', { RoleName });
      for (const [, PolicyArn] of attached.matchAll(/<PolicyArn>([^<]+)<\/PolicyArn>/g))
        await iam('DetachRolePolicy', { RoleName, PolicyArn: PolicyArn! });
      await iam('PutRolePolicy', { RoleName, ...document(policy) });
    },
    async makeUser(UserName) {
      await iam('CreateUser', { UserName });
      const made = await iam('CreateAccessKey', { UserName });
      const textOf = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(made)![1]!;
      return { accessKeyId: textOf('AccessKeyId'), secretAccessKey: textOf('SecretAccessKey') };
    },
    giveUser: async (UserName, policy) =>
      void (await iam('PutUserPolicy', { UserName, ...document(policy) })),
  };
}

/** The policy without these actions. */
export function without(policy: PolicyDocument, actions: readonly string[]): PolicyDocument {
  const statements = statementsOf(policy).map((statement) => ({
    ...statement,
    Action: [statement.Action ?? []].flat().filter((each) => !actions.includes(each)),
  }));
  return { Statement: statements.filter(({ Action }) => Action.length > 0) };
}

/** Every action that a policy allows, sorted. */
export function actionsIn(policy: PolicyDocument): string[] {
  return [...new Set(statementsOf(policy).flatMap(({ Action }) => Action ?? []))].sort();
}

function readable(policy: PolicyDocument) {
  return statementsOf(policy).map(({ Effect, Action }) => ({ Effect, Action, Resource: '*' }));
}
