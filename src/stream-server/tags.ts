import { ServiceError } from './service-error.ts';

export const TAGS_MAX = 50;
const KEY_CHARS_MAX = 128;
const VALUE_CHARS_MAX = 256;

export type Tags = Readonly<Record<string, string>>;

/** The tags of something new, if they are such. */
export function checkedTags(tags: Tags | undefined): { tags?: Record<string, string> } {
  return tags ? { tags: merged(undefined, tags) } : {};
}

export function merged(tags: Tags | undefined, more: Tags): Record<string, string> {
  for (const [key, value] of Object.entries(more))
    if (key.length < 1 || key.length > KEY_CHARS_MAX || value.length > VALUE_CHARS_MAX)
      throw new ServiceError(
        'InvalidArgumentException',
        `A tag's key has 1 to ${KEY_CHARS_MAX} characters, its value ${VALUE_CHARS_MAX} at most.`,
      );
  const all = new Map([...Object.entries(tags ?? {}), ...Object.entries(more)]);
  if (all.size > TAGS_MAX)
    throw new ServiceError(
      'InvalidArgumentException',
      `Failed to add tags because a given resource cannot have more than ${TAGS_MAX} tags associated with it.`,
    );
  return Object.fromEntries(all);
}

export function without(tags: Tags | undefined, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(tags ?? {}).filter(([key]) => !keys.includes(key)));
}

export function listed(tags: Tags | undefined): { Key: string; Value: string }[] {
  return Object.entries(tags ?? {})
    .map(([Key, Value]) => ({ Key, Value }))
    .sort((a, b) => (a.Key < b.Key ? -1 : 1));
}
