/** A plan in a screenful: what each module would do, and what the program is told. */
import { type Change, changesOf, type Plan } from './plan-file.ts';

const WORDS: Record<string, string> = { create: 'add', update: 'change', delete: 'destroy' };

export function planSummary(plan: Plan): string {
  const changes = changesOf(plan);
  const byModule = Map.groupBy(changes, moduleOf);
  const width = Math.max(0, ...[...byModule.keys()].map((name) => name.length));
  const lines = [...byModule]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, inModule]) =>
        `  ${name.padEnd(width)}  ${String(inModule.length).padStart(3)}  ${typesOf(inModule)}`,
    );
  return [...lines, '', ...optionsOf(plan), `Plan: ${totalOf(changes)}.`].join('\n');
}

export function totalOf(changes: readonly Change[]): string {
  return ['create', 'update', 'delete']
    .map((action) => {
      const some = changes.filter(({ change }) => change.actions.includes(action));
      return `${some.length} to ${WORDS[action]}`;
    })
    .join(', ');
}

/** `module.staging[0].module.job` → `staging` */
function moduleOf({ module_address: address }: Change): string {
  return address === undefined ? '(root)' : address.replace(/^module\./, '').replace(/[.[].*$/s, '');
}

function typesOf(changes: readonly Change[]): string {
  const counts = Map.groupBy(changes, ({ type }) => type.replace(/^aws_/, ''));
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([type, some]) => (some.length === 1 ? type : `${some.length} ${type}`))
    .join(', ');
}

function optionsOf(plan: Plan): string[] {
  const options = plan.planned_values.outputs?.['options']?.value as Record<string, string> | undefined;
  if (options === undefined) return [];
  const width = Math.max(...Object.keys(options).map((name) => name.length));
  return [
    'The program is told',
    ...Object.entries(options).map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    '',
  ];
}
