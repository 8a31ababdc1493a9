/** Events small enough to be read in a failing test: number n has the same identity everywhere. */
export const uuidOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

export interface EventFields {
  created_at?: number;
  note?: string;
}

const CREATED_AT_S = Date.UTC(2026, 0, 15, 11, 59) / 1000;

export const event = (n: number, fields: EventFields = {}): string =>
  JSON.stringify({
    event_uuid: uuidOf(n),
    event_name: 'lesson:started',
    created_at: CREATED_AT_S,
    ...fields,
  });

export const events = (...numbers: number[]): string[] => numbers.map((n) => event(n));
