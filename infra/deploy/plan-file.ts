/** A plan as `terraform show -json` writes it, as far as it is read here. */

export interface Plan {
  planned_values: { root_module: PlannedModule; outputs?: Record<string, { value?: unknown }> };
  resource_changes?: Change[];
  configuration: { root_module: ConfiguredModule };
}

export interface PlannedModule {
  resources?: PlannedResource[];
  child_modules?: PlannedModule[];
}

export interface PlannedResource {
  address: string;
  mode: 'managed' | 'data';
  type: string;
  name: string;
  values: Record<string, unknown>;
}

export interface Change {
  address: string;
  mode: 'managed' | 'data';
  type: string;
  module_address?: string;
  change: {
    actions: string[];
    before?: Record<string, unknown> | null;
    after?: Record<string, unknown> | null;
  };
}

export interface ConfiguredModule {
  resources?: { address: string; type: string; name: string; expressions: Record<string, unknown> }[];
  module_calls?: Record<string, { module: ConfiguredModule }>;
}

/** Every resource that the plan makes or keeps. */
export function resourcesOf(plan: Plan): PlannedResource[] {
  const walk = ({ resources = [], child_modules = [] }: PlannedModule): PlannedResource[] => [
    ...resources.filter(({ mode }) => mode === 'managed'),
    ...child_modules.flatMap(walk),
  ];
  return walk(plan.planned_values.root_module);
}

/** What applying it would do; without what stays as it is. */
export function changesOf(plan: Plan): Change[] {
  return (plan.resource_changes ?? []).filter(
    ({ mode, change }) => mode === 'managed' && change.actions.some((action) => action !== 'no-op'),
  );
}

/** The attributes that an update changes. */
export function changedAttributes({ change }: Change): string[] {
  const { before, after } = change;
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name])).sort();
}
