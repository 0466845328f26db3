import { z } from 'zod';
import type { Pair } from './client.ts';

const changeSchema = z.object({
  events: z.array(z.object({ kv: z.object({ key: z.string(), value: z.string().optional() }) })),
});

/**
 * Takes Balsa's `text/event-stream` apart: messages of lines, an empty line after each; a comment keeps the line open.
 * A message other than a change (progress) carries no events; that history was compacted is an error here, since
 * nothing the trials do compacts.
 */
export class EventStreamParser {
  readonly #onEvent: (event: Pair) => void;
  #rest = '';
  #problem: string | undefined;

  constructor(onEvent: (event: Pair) => void) {
    this.#onEvent = onEvent;
  }

  /** Why the server ends the stream, once it has said so. */
  get problem(): string | undefined {
    return this.#problem;
  }

  push(chunk: Buffer): void {
    const messages = (this.#rest + chunk.toString('latin1')).split('\n\n');
    this.#rest = messages.pop() ?? '';
    for (const message of messages) this.#read(message);
  }

  #read(message: string): void {
    let type = 'message';
    let data = '';
    for (const line of message.split('\n')) {
      if (line.startsWith('event:')) type = line.slice('event:'.length).trim();
      else if (line.startsWith('data:')) data += line.slice('data:'.length).trim();
    }
    if (type === 'compacted') throw new Error(`a watch was told that its history is compacted: ${data}`);
    if (type === 'error') this.#problem = data;
    if (type !== 'change') return;
    for (const { kv } of changeSchema.parse(JSON.parse(data)).events) {
      this.#onEvent({ key: kv.key, value: kv.value ?? '' });
    }
  }
}
