/**
 * Who is let in. On loopback every program of this machine's users is; a web page in a browser is not, though the
 * browser runs here: it may have made its own name mean 127.0.0.1 (the Host header tells), or send to us from its own
 * site (Origin tells, which only browsers send). Elsewhere the token decides.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Failure, hostName, isLoopback } from '../../base/base.ts';
import { RestError } from './rest-error.ts';

export interface GuardOptions {
  host: string;
  token: string | undefined;
}

/** Refuses a request by its headers. */
export type Guard = (header: (name: string) => string | undefined) => RestError | undefined;

export function guardOf({ host, token }: GuardOptions): Guard {
  const onLoopback = isLoopback(host);
  if (!onLoopback && token === undefined) throw openToAll(host);
  const allowedHost = (name: string) => isLoopback(name) || name === host.toLowerCase();
  return (header) => {
    if (onLoopback && !allowedHost(hostName(header('host') ?? '')))
      return forbidden(`Host ${header('host') ?? '(none)'} is not this server's name`);
    const site = header('sec-fetch-site');
    if (header('origin') !== undefined || (site !== undefined && site !== 'none'))
      return forbidden('Web pages are not let in');
    if (token !== undefined && !isToken(header('authorization') ?? '', token))
      return new RestError(401, 'NotAuthorizedException', 'A bearer token is needed, and this is not it');
    return undefined;
  };
}

const forbidden = (message: string) => new RestError(403, 'ForbiddenException', message);

/** Compared in the same time whatever is wrong with it; digests have the same length always. */
function isToken(authorization: string, token: string): boolean {
  const given = /^bearer +(.*)$/i.exec(authorization)?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function openToAll(host: string): Failure {
  return new Failure(`cannot serve the catalog on ${host}`, {
    code: 'catalog_server.token_needed',
    fault: 'user',
    why: 'it is no loopback address, and without a token everybody who reaches it could change every table',
    hint: 'set a token, or listen on 127.0.0.1',
  });
}
