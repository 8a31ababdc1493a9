/** What this user may do with a file that another library opens by itself, such as SQLite the catalog's. */
import { accessSync, constants, existsSync } from 'node:fs';

export const isThere = (path: string): boolean => existsSync(path);

export function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
