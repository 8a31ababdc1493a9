/** Namespaces: listed by parent, made, described, changed, dropped. */

import { levels, namespaceInBody, namespaceInPath } from './names.ts';
import { pageOf } from './pages.ts';
import { noSuchNamespace, RestError } from './rest-error.ts';
import type { Answer, RestRequest } from './route.ts';
import type { Service } from './service.ts';

export async function listNamespaces({ ports }: Service, { query }: RestRequest): Promise<Answer> {
  const asked = query.get('parent') ?? '';
  const parent = asked === '' ? undefined : namespaceInPath(asked);
  const all = await ports.catalog.listNamespaces();
  if (parent !== undefined && !all.includes(parent)) throw noSuchNamespace(parent);
  const { names, ...page } = pageOf(all.filter((namespace) => parentOf(namespace) === parent).sort(), query);
  return { status: 200, body: { namespaces: names.map(levels), ...page } };
}

export async function createNamespace({ ports }: Service, request: RestRequest): Promise<Answer> {
  const body = request.body();
  const namespace = namespaceInBody(body);
  const properties = body.properties('properties');
  if ((await ports.catalog.createNamespace(namespace, properties)) === 'exists')
    throw new RestError(409, 'AlreadyExistsException', `Namespace already exists: ${namespace}`);
  return { status: 200, body: { namespace: levels(namespace), properties } };
}

export async function loadNamespace(service: Service, { path }: RestRequest): Promise<Answer> {
  const namespace = namespaceInPath(path('namespace'));
  const properties = await service.requireNamespace(namespace);
  return { status: 200, body: { namespace: levels(namespace), properties } };
}

export async function namespaceExists(service: Service, { path }: RestRequest): Promise<Answer> {
  await service.requireNamespace(namespaceInPath(path('namespace')));
  return { status: 204 };
}

export async function dropNamespace({ ports }: Service, { path }: RestRequest): Promise<Answer> {
  const namespace = namespaceInPath(path('namespace'));
  const answer = await ports.catalog.dropNamespace(namespace);
  if (answer === 'missing') throw noSuchNamespace(namespace);
  if (answer === 'not-empty')
    throw new RestError(409, 'NamespaceNotEmptyException', `Namespace is not empty: ${namespace}`);
  return { status: 204 };
}

export async function updateNamespace(service: Service, request: RestRequest): Promise<Answer> {
  const namespace = namespaceInPath(request.path('namespace'));
  const body = request.body();
  const set = body.properties('updates');
  const remove = body.has('removals') ? [...new Set(body.texts('removals'))] : [];
  const both = remove.find((key) => set[key] !== undefined);
  if (both !== undefined)
    throw new RestError(422, 'UnprocessableEntityException', `Cannot set and remove the same key: ${both}`);
  const before = await service.requireNamespace(namespace);
  if ((await service.ports.catalog.updateNamespace(namespace, { set, remove })) === 'missing')
    throw noSuchNamespace(namespace);
  return {
    status: 200,
    body: {
      updated: Object.keys(set),
      removed: remove.filter((key) => before[key] !== undefined),
      missing: remove.filter((key) => before[key] === undefined),
    },
  };
}

function parentOf(namespace: string): string | undefined {
  const dot = namespace.lastIndexOf('.');
  return dot === -1 ? undefined : namespace.slice(0, dot);
}
