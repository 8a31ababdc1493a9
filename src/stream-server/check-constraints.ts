import { decodedLength } from './base64.ts';
import type { Member, Shape } from './input-shapes.ts';
import { ServiceError } from './service-error.ts';

const FINDINGS_MAX = 10;
const VALUE_CHARS_MAX = 1024;
/** A longer text breaks its length limit anyway; matching the pattern of ARNs against it could take minutes. */
const PATTERN_CHARS_MAX = 4096;

/** The second layer: a value of the right type that the model does not allow is a ValidationException. */
export function checkConstraints(input: Record<string, unknown>, shape: Shape): void {
  const findings: string[] = [];
  checkMembers(input, shape, '', findings);
  if (findings.length === 0) return;
  const count = `${findings.length} validation error${findings.length > 1 ? 's' : ''} detected`;
  throw new ServiceError('ValidationException', `${count}: ${findings.join('; ')}`);
}

function checkMembers(input: Record<string, unknown>, shape: Shape, path: string, findings: string[]): void {
  for (const [name, member] of Object.entries(shape))
    checkMember(input[name], member, `${path}${name[0]!.toLowerCase()}${name.slice(1)}`, findings);
}

function checkMember(value: unknown, member: Member, path: string, findings: string[]): void {
  if (findings.length >= FINDINGS_MAX) return;
  for (const broken of brokenConstraints(value, member)) {
    if (findings.length >= FINDINGS_MAX) return;
    findings.push(`Value ${print(value, member)} at '${path}' failed to satisfy constraint: ${broken}`);
  }
  if (value === undefined || value === null) return;
  if (member.type === 'Structure')
    checkMembers(value as Record<string, unknown>, member.members, `${path}.`, findings);
  if (member.type === 'List')
    (value as unknown[]).forEach((item, i) => {
      checkMember(item, member.of, `${path}.${i + 1}.member`, findings);
    });
}

function* brokenConstraints(value: unknown, member: Member): Generator<string> {
  if (value === undefined || value === null) {
    if (member.notNull) yield 'Member must not be null';
    return;
  }
  const { min, max, length_min, length_max, pattern, values } = member;
  if (pattern && (value as string).length <= PATTERN_CHARS_MAX && !pattern.test(value as string))
    yield `Member must satisfy regular expression pattern: ${modelText(pattern)}`;
  if (length_min !== undefined && lengthOf(value, member) < length_min)
    yield `Member must have length greater than or equal to ${length_min}`;
  if (length_max !== undefined && lengthOf(value, member) > length_max)
    yield `Member must have length less than or equal to ${length_max}`;
  if (min !== undefined && (value as number) < min)
    yield `Member must have value greater than or equal to ${min}`;
  if (max !== undefined && (value as number) > max)
    yield `Member must have value less than or equal to ${max}`;
  if (values && !values.includes(value as string))
    yield `Member must satisfy enum value set: [${values.join(', ')}]`;
}

/** As the service model writes it: whole texts are meant without saying so. */
function modelText(pattern: RegExp): string {
  return pattern.source.slice(1, -1).replaceAll('\\/', '/');
}

function lengthOf(value: unknown, { type }: Member): number {
  if (type === 'Blob' && typeof value === 'string') return decodedLength(value) ?? 0;
  return (value as string | unknown[] | Uint8Array).length;
}

function print(value: unknown, member: Member): string {
  if (value === undefined || value === null) return 'null';
  if (member.type === 'List') return `'[${(value as unknown[]).map(() => member.print).join(', ')}]'`;
  if (member.type !== 'Blob') return `'${String(value).slice(0, VALUE_CHARS_MAX)}'`;
  const length = lengthOf(value, member);
  return `'java.nio.HeapByteBuffer[pos=0 lim=${length} cap=${length}]'`;
}
