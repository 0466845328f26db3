import type { Revision } from '../contract/kv.ts';
import type { Endpoints, OpenStream } from './exchange.ts';
import type { RequestOptions } from './options.ts';
import { readWithin } from './read-within.ts';
import { limitsOf } from './request.ts';

/** `timeoutMs` is for the beginning. */
export interface SnapshotOptions extends RequestOptions {
  /** The longest that nothing may come, in milliseconds; default 30,000. */
  readonly silenceMs?: number;
}

/** A backup as it comes from a member. */
export interface Snapshot {
  readonly endpoint: string;
  /** Of the store that is in it. */
  readonly revision: Revision;
  /**
   * To be read to its end, or left. Rejects with `unavailable` if it is cut off: what has come is not a backup then.
   */
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
}

export async function openSnapshot(endpoints: Endpoints, options: SnapshotOptions): Promise<Snapshot> {
  const { signal, silenceMs = 30_000 } = options;
  const stream = await endpoints.open(
    {
      ...limitsOf(options),
      method: 'GET',
      path: '/v1/snapshot',
      repetition: 'harmless',
      headers: { accept: 'application/vnd.balsa.backup' },
    },
    undefined,
  );
  return {
    endpoint: stream.endpoint,
    revision: Number(stream.headers.get('balsa-snapshot-revision')),
    chunks: chunksOf(stream, silenceMs, signal),
  };
}

async function* chunksOf(
  stream: OpenStream,
  silenceMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const close = (): void => stream.close();
  signal?.addEventListener('abort', close, { once: true });
  try {
    for (;;) {
      const chunk = await readWithin(stream, silenceMs);
      // A stream that was closed ends as if it were whole.
      signal?.throwIfAborted();
      if (chunk === undefined) return;
      yield chunk;
    }
  } finally {
    signal?.removeEventListener('abort', close);
    stream.close();
  }
}
