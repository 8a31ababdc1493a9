const ENCRYPTION = 'it does not encrypt; put its folder on an encrypted disk';
const POLICY = 'it checks that requests are signed, not by whom';
const BILLING = 'it has no throughput to warm and no account to bill';

/** Operations of Kinesis that are not here, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  StartStreamEncryption: ENCRYPTION,
  StopStreamEncryption: ENCRYPTION,
  PutResourcePolicy: POLICY,
  GetResourcePolicy: POLICY,
  DeleteResourcePolicy: POLICY,
  UpdateStreamWarmThroughput: BILLING,
  DescribeAccountSettings: BILLING,
  UpdateAccountSettings: BILLING,
};

/** Undefined for what is no operation at all. */
export function refusalOf(operation: string): string | undefined {
  if (!Object.hasOwn(REFUSED, operation)) return undefined;
  return `The embedded stream has no ${operation}: ${REFUSED[operation]}.`;
}
