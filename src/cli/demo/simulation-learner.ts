import {
  ABANDON_REASONS,
  COURSES,
  type Course,
  EXERCISES,
  MARKETS,
  type Market,
  PLATFORMS,
  SKILLS,
} from './simulation-catalogue.ts';
import { Outbox, type Pending } from './simulation-outbox.ts';
import { Purchases } from './simulation-purchases.ts';
import type { Random } from './simulation-random.ts';
import type { Schedule } from './simulation-schedule.ts';
import type { Meaning } from './simulation-truth.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Lesson {
  id: string;
  course: string;
  unit: number;
  skill: string;
}

/** One learner: signs up, comes back most days, learns or gives up, may buy and may want the money back. */
export class Learner {
  readonly #id: string;
  readonly #random: Random;
  readonly #outbox: Outbox;
  readonly #purchases: Purchases;
  readonly #market: Market;
  readonly #device: { platform: string; os_version: string; app_version: string };
  /** The evening hour, in UTC, around which this learner learns. */
  readonly #hour: number;
  readonly #diligence: number;
  #course: Course;
  #lessons = 0;
  #sessions = 0;
  #streak_days = 0;
  #lastDay = -1;

  constructor(number: number, random: Random, schedule: Schedule<Pending>) {
    this.#id = `L${String(number).padStart(7, '0')}`;
    this.#random = random;
    this.#outbox = new Outbox(this.#id, random, schedule);
    this.#market = random.weighted(MARKETS);
    this.#purchases = new Purchases({
      learner: this.#id,
      market: this.#market,
      random,
      outbox: this.#outbox,
    });
    this.#course = random.weighted(COURSES);
    const { platform, os_versions } = random.weighted(PLATFORMS);
    const app_version = `21.${random.whole(3, 9)}.${random.whole(0, 4)}`;
    this.#device = { platform, os_version: random.pick(os_versions), app_version };
    this.#hour = (random.whole(17, 22) - this.#market.offset_hours + 24) % 24;
    this.#diligence = random.between(0.5, 1);
  }

  signUp(now_ms: number): void {
    const { country, locale } = this.#market;
    const profile = { country, locale, goal_minutes: this.#random.pick([5, 10, 15, 20]) };
    this.#outbox.emit('account:created', now_ms, {
      profile,
      device: this.#device,
      referrer: this.#referrer(),
    });
    this.#outbox.emit('course:enrolled', now_ms + 40 * SECOND, { course: this.#courseField() });
    this.#outbox.later(now_ms + 2 * MINUTE, (at_ms) => this.#session(at_ms));
  }

  #session(start_ms: number): void {
    const random = this.#random;
    const id = `${this.#id}-S${++this.#sessions}`;
    if (random.chance(0.03)) this.#outbox.goOffline(start_ms + random.between(1, 6) * HOUR);
    this.#outbox.emit('session:started', start_ms, { session: { id }, device: this.#device });
    this.#loseStreak(start_ms);
    let now_ms = start_ms + random.between(3, 20) * SECOND;
    const lessons = random.whole(1, 4);
    for (let done = 0; done < lessons; done++)
      now_ms = this.#lesson(now_ms, id) + random.between(2, 60) * SECOND;
    if (random.chance(0.08)) this.#outbox.emit('account:updated', now_ms, { changes: this.#profileChange() });
    if (this.#purchases.plan === undefined && random.chance(0.12)) now_ms = this.#purchases.buy(now_ms);
    // A session that the system killed has no end.
    if (random.chance(0.93))
      this.#outbox.emit('session:ended', now_ms, {
        session: { id, lessons, duration_ms: Math.round(now_ms - start_ms) },
      });
    this.#next(now_ms);
  }

  #lesson(start_ms: number, session: string): number {
    const random = this.#random;
    const lesson = this.#nextLesson();
    this.#outbox.emit(
      'lesson:started',
      start_ms,
      { lesson, session: { id: session } },
      this.#meaning('started'),
    );
    let now_ms = start_ms;
    const kinds = { asked: random.whole(3, 6), right: 0 };
    const givesUp = random.chance(this.#course.abandon_rate);
    const answered = givesUp ? random.whole(0, kinds.asked - 1) : kinds.asked;
    const mistakes: string[] = [];
    for (let index = 0; index < answered; index++) {
      now_ms += random.between(4, 25) * SECOND;
      const kind = random.pick(EXERCISES);
      const correct = random.chance(0.6 + 0.35 * this.#diligence);
      if (correct) kinds.right++;
      else mistakes.push(kind);
      const exercise = { index, kind, attempts: correct ? 1 : random.whole(1, 3) };
      this.#outbox.emit('exercise:answered', now_ms, {
        lesson: { id: lesson.id, course: lesson.course },
        exercise,
        correct,
      });
    }
    now_ms += random.between(2, 12) * SECOND;
    const duration_ms = Math.round(now_ms - start_ms);
    if (givesUp) {
      // One in six is never heard of again: started, neither completed nor abandoned.
      if (random.chance(5 / 6)) {
        const end = {
          progress: Math.round((answered / kinds.asked) * 100) / 100,
          reason: random.pick(ABANDON_REASONS),
        };
        this.#outbox.emit(
          'lesson:abandoned',
          now_ms,
          { lesson, ...end, duration_ms },
          this.#meaning('abandoned'),
        );
      }
      return now_ms;
    }
    const score = {
      points: 10 + 2 * kinds.right,
      accuracy: Math.round((kinds.right / kinds.asked) * 100) / 100,
      mistakes,
    };
    this.#outbox.emit('lesson:completed', now_ms, { lesson, score, duration_ms }, this.#meaning('completed'));
    this.#extendStreak(now_ms);
    return now_ms;
  }

  #extendStreak(now_ms: number): void {
    const day = Math.floor(now_ms / DAY);
    if (day === this.#lastDay) return;
    this.#lastDay = day;
    this.#streak_days++;
    this.#outbox.emit('streak:extended', now_ms + SECOND, { streak: { days: this.#streak_days } });
    if (this.#streak_days === 3 || this.#streak_days === 7)
      this.#outbox.emit('achievement:unlocked', now_ms + 2 * SECOND, {
        achievement: { id: `streak-${this.#streak_days}`, points: this.#streak_days * 10 },
      });
  }

  #loseStreak(now_ms: number): void {
    if (this.#streak_days === 0 || Math.floor(now_ms / DAY) - this.#lastDay < 2) return;
    this.#outbox.emit('streak:lost', now_ms + SECOND, {
      streak: { days: this.#streak_days, frozen: this.#purchases.plan !== undefined },
    });
    this.#streak_days = 0;
  }

  /** Most come back the next evening, some after days, some never. */
  #next(now_ms: number): void {
    const random = this.#random;
    if (random.chance(0.02)) {
      if (random.chance(0.5))
        this.#outbox.emit('account:deleted', now_ms + HOUR, { feedback: { lessons: this.#lessons } });
      return;
    }
    const days = random.chance(this.#diligence) ? 1 : random.whole(2, 5);
    const evening_ms = (Math.floor(now_ms / DAY) + days) * DAY + this.#hour * HOUR;
    if (days > 1) this.#remind(evening_ms - DAY);
    const again_ms = Math.max(now_ms + HOUR, evening_ms + random.between(-90, 90) * MINUTE);
    this.#outbox.later(again_ms, (at_ms) => this.#session(at_ms));
  }

  #remind(at_ms: number): void {
    const notification = {
      id: `${this.#id}-N${this.#sessions}`,
      channel: this.#random.pick(['push', 'email']),
    };
    this.#outbox.later(at_ms, (now_ms) => {
      this.#outbox.emit('notification:sent', now_ms, { notification });
      if (this.#random.chance(0.25))
        this.#outbox.emit('notification:opened', now_ms + this.#random.between(1, 90) * MINUTE, {
          notification,
        });
    });
  }

  #nextLesson(): Lesson {
    const unit = 1 + Math.floor(this.#lessons / 5);
    const skill = SKILLS[this.#lessons % SKILLS.length] as string;
    return { id: `${this.#course.id}/u${unit}/${++this.#lessons}`, course: this.#course.id, unit, skill };
  }

  #meaning(lesson: 'started' | 'completed' | 'abandoned'): Meaning {
    return { lesson, course: this.#course.id };
  }

  #courseField() {
    return { id: this.#course.id, language: this.#course.language };
  }

  #referrer() {
    return this.#random.pick([null, 'friend', 'search', { campaign: 'spring', medium: 'podcast' }]);
  }

  #profileChange() {
    return this.#random.pick([
      [{ field: 'goal_minutes', from: 10, to: 20 }],
      [{ field: 'avatar', from: null, to: '🦉' }],
      [
        { field: 'name', from: 'Ana', to: 'Anaïs' },
        { field: 'newsletter', from: true, to: false },
      ],
    ]);
  }
}
