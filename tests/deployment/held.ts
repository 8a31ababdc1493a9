/** What an emulator holds of each kind that a deployment makes, by name; asked by hand, without an SDK for each. */

interface Question {
  service: string;
  /** Of the query protocol, or the target of the JSON protocol. */
  parameters?: Readonly<Record<string, string>>;
  target?: string;
  /** Finds the names in the answer. */
  names: RegExp;
}

const QUESTIONS: readonly Question[] = [
  {
    service: 'iam',
    parameters: { Action: 'ListRoles', Version: '2010-05-08' },
    names: /<RoleName>([^<]+)/g,
  },
  {
    service: 'iam',
    parameters: { Action: 'ListPolicies', Scope: 'Local', Version: '2010-05-08' },
    names: /<PolicyName>([^<]+)/g,
  },
  {
    service: 'monitoring',
    parameters: { Action: 'DescribeAlarms', Version: '2010-08-01' },
    names: /<AlarmName>([^<]+)/g,
  },
  {
    service: 'monitoring',
    parameters: { Action: 'ListDashboards', Version: '2010-08-01' },
    names: /<DashboardName>([^<]+)/g,
  },
  {
    service: 'sns',
    parameters: { Action: 'ListTopics', Version: '2010-03-31' },
    names: /<TopicArn>([^<]+)/g,
  },
  { service: 'kinesis', target: 'Kinesis_20131202.ListStreams', names: /"StreamName": ?"([^"]+)/g },
  { service: 'logs', target: 'Logs_20140328.DescribeLogGroups', names: /"logGroupName": ?"([^"]+)/g },
  // The keys themselves wait for their deletion for days, as on AWS.
  { service: 'kms', target: 'TrentService.ListAliases', names: /"AliasName": ?"alias\/((?!aws\/)[^"]+)/g },
  { service: 's3', names: /<Name>([^<]+)/g },
];

export async function held(endpoint: string): Promise<string[]> {
  const all: string[] = [];
  for (const question of QUESTIONS) {
    const answer = await fetch(endpoint, requestOf(question));
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${question.service} answered ${answer.status}: ${text}`);
    for (const [, name] of text.matchAll(question.names)) all.push(`${question.service} ${name}`);
  }
  return all;
}

function requestOf({ service, parameters, target }: Question): RequestInit {
  const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=none`;
  if (parameters !== undefined)
    return { method: 'POST', headers: { authorization }, body: new URLSearchParams(parameters) };
  if (target === undefined) return { headers: { authorization } };
  const headers = { authorization, 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' };
  return { method: 'POST', headers, body: '{}' };
}
