/**
 * Which columns of its views a query can read, by its parse tree alone: every name that stands anywhere in it. One too
 * many costs a little reading; where a query can read columns without naming them, all are.
 */
import type { Query } from './parse-tree.ts';

const RELATIONS = ['BASE_TABLE', 'SUBQUERY', 'JOIN', 'EXPRESSION_LIST', 'EMPTY'];

/** Names in lower case; undefined: all. */
export function columnsRead(tree: Query): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  const relations = new Set<string>();
  const alone = new Set<string>();
  let all = false;
  const visit = (node: unknown): void => {
    if (typeof node === 'string') names.add(node.toLowerCase());
    if (Array.isArray(node)) for (const each of node) visit(each);
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
    const it = node as Readonly<Record<string, unknown>>;
    if (it['class'] === 'STAR' || it['class'] === 'POSITIONAL_REFERENCE') all = true;
    const isRelation = 'query_location' in it && !('class' in it);
    if (isRelation && !RELATIONS.includes(String(it['type']))) all = true;
    if (it['ref_type'] !== undefined && it['ref_type'] !== 'REGULAR' && it['ref_type'] !== 'CROSS')
      all = true;
    if (isRelation) {
      for (const name of [it['alias'], it['table_name']])
        if (typeof name === 'string') relations.add(name.toLowerCase());
    }
    // `select e from events e` gives the whole row.
    if (it['class'] === 'COLUMN_REF')
      alone.add(String((it['column_names'] as unknown[]).at(-1)).toLowerCase());
    for (const each of Object.values(it)) visit(each);
  };
  visit(tree);
  for (const name of alone) if (relations.has(name)) all = true;
  return all ? undefined : names;
}
