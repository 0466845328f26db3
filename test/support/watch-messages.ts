import { createHash } from 'node:crypto';
import type { KeyValue } from '../../src/contract/kv.ts';
import { parseLeaseId } from '../../src/contract/lease.ts';
import type { WatchEvent } from '../../src/contract/watch.ts';
import type { Sighting } from '../model/watch-checker.ts';

export type WatchForm = 'text/event-stream' | 'application/x-ndjson';

/** How a watch was ended by its server; undefined for one that was cut off without a word. */
export interface WatchEnd {
  readonly code: string;
  readonly retryable: boolean;
}

/** What stands in an answer of Balsa's for a key. */
export interface KeyValueJson {
  readonly key: string;
  readonly value?: string;
  readonly createRevision?: number;
  readonly modRevision: number;
  readonly version?: number;
  readonly lease?: string;
}

interface MessageJson {
  readonly type?: string;
  readonly revision: number;
  readonly compactRevision: number;
  readonly events: readonly {
    readonly type: 'put' | 'delete';
    readonly kv: KeyValueJson;
    readonly prevKv?: KeyValueJson;
  }[];
  readonly problem?: WatchEnd;
}

/** Cuts a watch into its messages. */
export class MessageReader {
  readonly #form: WatchForm;
  #rest = '';

  constructor(form: WatchForm) {
    this.#form = form;
  }

  /** The messages that `text` completes. */
  *read(text: string): Generator<Sighting | WatchEnd> {
    const isLines = this.#form === 'application/x-ndjson';
    const blocks = (this.#rest + text).split(isLines ? '\n' : '\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) yield isLines ? sightingOf(JSON.parse(block) as MessageJson) : sightingOfEvent(block);
  }
}

function sightingOfEvent(block: string): Sighting | WatchEnd {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  );
  const data = JSON.parse(fields.get('data') ?? '') as MessageJson & WatchEnd;
  const type = fields.get('event') ?? '';
  if (type === 'error') return data;
  const sighting = sightingOf({ ...data, type });
  if ('kind' in sighting && 'revision' in sighting && fields.get('id') !== `${sighting.revision}`) {
    throw new Error(`revision ${sighting.revision} came with the id ${fields.get('id')}`);
  }
  return sighting;
}

function sightingOf(message: MessageJson): Sighting | WatchEnd {
  switch (message.type) {
    case 'change':
      return { kind: 'batch', revision: message.revision, events: message.events.map(eventOf) };
    case 'progress':
      return { kind: 'progress', revision: message.revision };
    case 'compacted':
      return { kind: 'compacted', compactRevision: message.compactRevision };
    case 'error':
      return message.problem ?? { code: 'none', retryable: false };
    default:
      throw new Error(`a watch said ${JSON.stringify(message)}`);
  }
}

function eventOf({ type, kv, prevKv }: MessageJson['events'][number]): WatchEvent {
  return { type, kv: keyValueOf(kv), previous: prevKv === undefined ? undefined : keyValueOf(prevKv) };
}

/** A long value is kept as its digest: a run compares each many times. */
export function keyValueOf(json: KeyValueJson): KeyValue {
  const lease = json.lease === undefined ? undefined : parseLeaseId(json.lease);
  return {
    key: Buffer.from(json.key),
    value: digested(json.value ?? ''),
    createRevision: json.createRevision ?? 0,
    modRevision: json.modRevision,
    version: json.version ?? 0,
    ...(lease === undefined ? {} : { lease }),
  };
}

const plainBytesMax = 100;

/** Values that differ stay different. */
export function digested(value: string): Buffer {
  if (value.length <= plainBytesMax) return Buffer.from(value);
  return Buffer.from(`${value.length} characters, ${createHash('sha256').update(value).digest('base64')}`);
}
