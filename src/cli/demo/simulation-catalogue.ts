/** What the simulated company sells and teaches. Weights are relative popularity. */
export interface Course {
  id: string;
  language: string;
  weight: number;
  /** Probability that a lesson once begun is given up. */
  abandon_rate: number;
}

export const COURSES: readonly Course[] = [
  { id: 'es-en', language: 'Spanish', weight: 30, abandon_rate: 0.1 },
  { id: 'fr-en', language: 'French', weight: 20, abandon_rate: 0.14 },
  { id: 'de-en', language: 'German', weight: 15, abandon_rate: 0.18 },
  { id: 'en-es', language: 'English', weight: 15, abandon_rate: 0.12 },
  { id: 'ja-en', language: 'Japanese', weight: 12, abandon_rate: 0.24 },
  { id: 'fi-en', language: 'Finnish', weight: 5, abandon_rate: 0.32 },
  { id: 'eo-en', language: 'Esperanto', weight: 3, abandon_rate: 0.08 },
];

export interface Market {
  country: string;
  locale: string;
  currency: string;
  /** Prices in the currency's minor unit (cents; yen have none). */
  prices_minor: Record<Plan, number>;
  /** Hours east of Greenwich: learners learn in their own evening. */
  offset_hours: number;
  weight: number;
}

export type Plan = 'monthly' | 'yearly' | 'family';

export const PLANS: readonly { plan: Plan; weight: number }[] = [
  { plan: 'monthly', weight: 60 },
  { plan: 'yearly', weight: 30 },
  { plan: 'family', weight: 10 },
];

const market = (
  [country, locale, currency]: [string, string, string],
  [monthly, yearly, family]: [number, number, number],
  [offset_hours, weight]: [number, number],
): Market => ({ country, locale, currency, prices_minor: { monthly, yearly, family }, offset_hours, weight });

export const MARKETS: readonly Market[] = [
  market(['US', 'en-US', 'USD'], [1299, 8399, 11999], [-6, 35]),
  market(['DE', 'de-DE', 'EUR'], [1199, 7999, 10999], [1, 20]),
  market(['FR', 'fr-FR', 'EUR'], [1199, 7999, 10999], [1, 12]),
  market(['GB', 'en-GB', 'GBP'], [999, 6999, 9999], [0, 10]),
  market(['BR', 'pt-BR', 'BRL'], [2990, 19990, 29990], [-3, 15]),
  market(['JP', 'ja-JP', 'JPY'], [1500, 9800, 14800], [9, 8]),
];

export const PLATFORMS = [
  { platform: 'ios', os_versions: ['17.6', '18.1', '18.5'], weight: 40 },
  { platform: 'android', os_versions: ['13', '14', '15'], weight: 45 },
  { platform: 'web', os_versions: ['Firefox 128', 'Chrome 138', 'Safari 18'], weight: 15 },
] as const;

export const SKILLS = [
  'greetings',
  'food',
  'travel',
  'family',
  'past tense',
  'numbers',
  'small talk',
  'café & bar',
] as const;
export const EXERCISES = ['translate', 'listen', 'speak', 'match', 'fill the gap'] as const;
export const ABANDON_REASONS = [
  'closed the app',
  'out of hearts',
  'lost connection',
  'went to another lesson',
] as const;
export const REFUND_REASONS = [
  'did not use it',
  'bought by mistake',
  'wrong plan',
  'technical problem',
] as const;
