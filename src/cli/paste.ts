/** Commands that a command shows, to be pasted as they are: they ask the same lake, and a shell takes them apart right. */
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flagOf, type OptionName } from '../config/config.ts';
import type { CommandContext } from './command.ts';

const PLACE: readonly OptionName[] = ['dir', 'store.url', 'store.endpoint', 'catalog.kind', 'catalog.uri'];

/** The folder of the package, which in a checkout holds `bin`. */
export const PACKAGE = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** How a person in this folder calls the program: in the checkout it need not be on the path. */
export const programIn = (cwd: string): string => (cwd === PACKAGE ? 'bin/lakeward' : 'lakeward');

/**
 * What another command in this folder would not find by itself, each with a blank before it: what a flag or the
 * environment says of where the lake is, and of `others`. The config file is found again.
 */
export function sameFlags(
  { settings, origins, cwd }: Pick<CommandContext, 'settings' | 'origins' | 'cwd'>,
  others: readonly OptionName[] = [],
): string {
  const said = (name: OptionName) => ['flag', 'environment'].includes(origins[name].from);
  const elsewhere = (name: OptionName) => name === 'dir' && settings.dir !== resolve(cwd, '.lakeward');
  return [...PLACE, ...others]
    .filter((name) => said(name) || elsewhere(name))
    .map((name) => ` ${flagOf(name)} ${shellWord(String(settings[name]))}`)
    .join('');
}

/** Quoted where a POSIX shell would take it apart. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** As short as it can be from the working folder. */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path) || '.';
  return short.startsWith('..') ? path : short;
}
