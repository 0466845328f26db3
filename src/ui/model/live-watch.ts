import type { WatchEventJson, WatchLine } from './answers.ts';
import { errorText, jsonLines } from './api.ts';
import { percentEncode } from './bytes.ts';

export interface WatchAsked {
  readonly prefix: Uint8Array;
  /** From that revision on; undefined: from now. */
  readonly revision: number | undefined;
  readonly filter: 'put' | 'delete' | undefined;
}

export type WatchState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live'; readonly revision: number }
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'compacted'; readonly compactRevision: number };

export interface WatchListener {
  onEvents(revision: number, events: readonly WatchEventJson[]): void;
  onState(state: WatchState): void;
}

const retryMs = 1000;

/** Tells everything that happens, without a gap, until `signal` is aborted: a connection that breaks is begun again. */
export async function followChanges(asked: WatchAsked, listener: WatchListener, signal: AbortSignal): Promise<void> {
  let next = asked.revision;
  listener.onState({ kind: 'connecting' });
  while (!signal.aborted) {
    const query = {
      prefix: percentEncode(asked.prefix),
      prevKv: true,
      progress: '1s',
      revision: next,
      filter: asked.filter,
    };
    let reason = 'The member ended the watch.';
    try {
      for await (const line of jsonLines<WatchLine>('/v1/watch', { query, signal })) {
        if (line.type === 'compacted') {
          listener.onState({ kind: 'compacted', compactRevision: line.compactRevision });
          return;
        }
        if (line.type === 'error') {
          reason = line.problem.detail;
          break;
        }
        if (line.type === 'change') listener.onEvents(line.revision, line.events);
        next = Math.max(next ?? 0, line.revision + 1);
        listener.onState({ kind: 'live', revision: line.revision });
      }
    } catch (failure) {
      reason = errorText(failure);
    }
    if (signal.aborted) return;
    listener.onState({ kind: 'waiting', reason });
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}
