/** Namespaces and tables in requests. Levels are joined by dots here, so none of them may have one. */
import type { JsonValue } from '../../base/base.ts';
import { Members } from './read-json.ts';
import { badRequest } from './rest-error.ts';

const SEPARATOR = '\u001f';
const NAME_CHARS_MAX = 255;

/** From a path or a query, where levels are separated by the unit separator, `%1F`. */
export function namespaceInPath(text: string): string {
  return joined(text.split(SEPARATOR));
}

/** From a body, where it is a list of levels. */
export function namespaceInBody(members: Members): string {
  return joined(members.texts('namespace'));
}

export function tableInPath({ namespace, table }: { namespace: string; table: string }): string {
  return joined([...namespace.split(SEPARATOR), table]);
}

export function tableInBody(value: JsonValue | undefined): string {
  const members = new Members(value, 'table identifier');
  return joined([...members.texts('namespace'), members.text('name')]);
}

export const tableNamed = (namespace: string, table: string): string => joined([...levels(namespace), table]);

export const levels = (namespace: string): string[] => namespace.split('.');

export function identifierOf(name: string): { namespace: string[]; name: string } {
  const parts = levels(name);
  return { namespace: parts.slice(0, -1), name: parts.at(-1) ?? '' };
}

function joined(parts: readonly string[]): string {
  const bad = parts.find((part) => !/^[^.\p{Cc}]+$/u.test(part));
  if (parts.length === 0 || bad !== undefined)
    throw badRequest(`a name has at least one letter, and neither dots nor control characters: ${bad ?? ''}`);
  const name = parts.join('.');
  if (name.length > NAME_CHARS_MAX) throw badRequest(`a name has at most ${NAME_CHARS_MAX} characters`);
  return name;
}
