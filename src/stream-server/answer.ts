import type { EventStream } from './event-frames.ts';

/** What goes back over HTTP, but for the headers that every answer has. */
export interface Answer {
  status: number;
  contentType?: string;
  body: string | Buffer | EventStream;
}
