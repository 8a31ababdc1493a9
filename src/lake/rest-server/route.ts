/** Requests by method and path. The same table is what `/v1/config` tells clients of. */

import type { Members } from './read-json.ts';
import { badRequest } from './rest-error.ts';
import type { Service } from './service.ts';

export interface RestRequest {
  /** A part of the path that the route names, decoded. */
  path(name: string): string;
  query: URLSearchParams;
  header(name: string): string | undefined;
  /** The JSON of the body. */
  body(): Members;
}

export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** Becomes JSON. */
  body?: unknown;
}

export interface Route {
  /** As the protocol writes it: `GET /v1/{prefix}/namespaces`. */
  endpoint: string;
  answer(service: Service, request: RestRequest): Promise<Answer>;
}

export interface Found {
  route: Route;
  path: ReadonlyMap<string, string>;
}

/** A prefix is for servers of many catalogs; this one has one, and none. */
export function findRoute(
  routes: readonly Route[],
  { method, path }: { method: string; path: string },
): Found | undefined {
  const parts = path.split('/');
  for (const route of routes) {
    const [wantedMethod, pattern] = route.endpoint.replace('/{prefix}', '').split(' ') as [string, string];
    const wanted = pattern.split('/');
    if (wantedMethod !== method || wanted.length !== parts.length) continue;
    const named = new Map<string, string>();
    const fits = wanted.every((part, at) => {
      const given = parts[at]!;
      if (!part.startsWith('{')) return part === given;
      named.set(part.slice(1, -1), given);
      return given !== '';
    });
    if (fits) return { route, path: new Map(named.entries().map(([name, part]) => [name, decoded(part)])) };
  }
  return undefined;
}

/** Java's clients write a blank as `+`. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '));
  } catch {
    throw badRequest('the path is not encoded as a URL has to be');
  }
}
