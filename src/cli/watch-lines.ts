import type { WatchBatch, WatchEvent } from '../client/index.ts';
import { keyValueJson } from './client-options.ts';
import { printable } from './output.ts';

/** A line for each event: `PUT  a/b  value  (revision 7)`. */
export function watchLines({ revision, events }: WatchBatch): string {
  return events.map((event) => `${fieldsOf(event, revision).join('  ')}\n`).join('');
}

/** As `GET /v1/watch` has it. */
export function watchBatchJson({ revision, events }: WatchBatch): Readonly<Record<string, unknown>> {
  return { revision, events: events.map(eventJson) };
}

function fieldsOf({ type, kv, previous }: WatchEvent, revision: number): string[] {
  const at = `(revision ${revision}${previous === undefined ? '' : `; before: ${printable(previous.value)}`})`;
  if (type === 'delete') return ['DELETE', printable(kv.key), at];
  return ['PUT', printable(kv.key), printable(kv.value), at];
}

function eventJson({ type, kv, previous }: WatchEvent): Readonly<Record<string, unknown>> {
  const { createRevision, version, ...deleted } = keyValueJson(kv, { keysOnly: true });
  return {
    type,
    kv: type === 'delete' ? deleted : keyValueJson(kv),
    ...(previous !== undefined && { prevKv: keyValueJson(previous) }),
  };
}
