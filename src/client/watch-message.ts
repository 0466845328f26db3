import { BalsaError } from '../contract/errors.ts';
import type { Revision } from '../contract/kv.ts';
import type { WatchEvent } from '../contract/watch.ts';
import { keyValueOf, type WireKeyValue } from './answers.ts';
import { errorOfProblem } from './failures.ts';

/** What one revision did to the keys that are watched. */
export interface WatchBatch {
  readonly revision: Revision;
  /** At least one. */
  readonly events: readonly WatchEvent[];
}

/** A line of `GET /v1/watch`, but for those that end it. */
export type WatchMessage =
  | { readonly kind: 'progress'; readonly revision: Revision }
  | { readonly kind: 'change'; readonly batch: WatchBatch }
  /** Of a later version of the server. */
  | { readonly kind: 'unknown' };

/** @throws BalsaError the error that the line tells of: `compacted` with the extra `compactRevision`, or another. */
export function watchMessageOf(line: string, endpoint: string): WatchMessage {
  const wire = parse(line, endpoint);
  switch (wire.type) {
    case 'progress':
      return { kind: 'progress', revision: wire.revision };
    case 'change':
      return { kind: 'change', batch: { revision: wire.revision, events: wire.events.map(eventOf) } };
    case 'compacted':
      throw new BalsaError(
        'compacted',
        `What was before revision ${wire.compactRevision} is compacted, and the watch cannot go on. List the keys again and watch from there.`,
        { extras: { compactRevision: wire.compactRevision } },
      );
    case 'error':
      throw errorOfProblem(wire.problem ?? wire) ?? notUnderstood(line, endpoint);
    default:
      return { kind: 'unknown' };
  }
}

type WireMessage =
  | { readonly type: 'progress'; readonly revision: number }
  | { readonly type: 'change'; readonly revision: number; readonly events: readonly WireEvent[] }
  | { readonly type: 'compacted'; readonly compactRevision: number }
  /** The members of the problem stand in the line itself, or in `problem`. */
  | { readonly type: 'error'; readonly problem?: unknown };

interface WireEvent {
  readonly type: 'put' | 'delete';
  readonly kv: Partial<WireKeyValue>;
  readonly prevKv?: WireKeyValue;
}

/** Of a deletion the server may leave out what is empty or 0. */
function eventOf({ type, kv, prevKv }: WireEvent): WatchEvent {
  return {
    type,
    kv: keyValueOf({ createRevision: 0, modRevision: 0, version: 0, ...kv }),
    previous: prevKv && keyValueOf(prevKv),
  };
}

/** The shape is trusted once it is JSON, as that of every answer. */
function parse(line: string, endpoint: string): WireMessage {
  try {
    return JSON.parse(line) as WireMessage;
  } catch {
    throw notUnderstood(line, endpoint);
  }
}

function notUnderstood(line: string, endpoint: string): BalsaError {
  return new BalsaError('internal', `${endpoint} sent a line that is no message of a watch: ${line.slice(0, 100)}`);
}
