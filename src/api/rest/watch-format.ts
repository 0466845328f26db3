import type { BalsaError } from '../../contract/errors.ts';
import type { Revision } from '../../contract/kv.ts';
import type { WatchBatch, WatchEvent } from '../../contract/watch.ts';
import { bytesMember, type Encoding, keyValueJson } from './key-value-json.ts';
import { problemText } from './problem.ts';

/** How a watch is written. */
export interface WatchFormat {
  readonly type: 'text/event-stream' | 'application/x-ndjson';
  /** One function for all watches of the format: what it makes of a batch is made once (`WatchBatch.encoded`). */
  readonly change: (batch: WatchBatch) => Buffer;
  readonly progress: (revision: Revision) => string;
  /** The last thing that is sent. */
  readonly end: (error: BalsaError) => string;
}

/** As `EventSource` reads it (WHATWG HTML, 9.2). Its `id` is what a browser sends back as `Last-Event-ID`. */
function eventStream(encoding: Encoding): WatchFormat {
  return {
    type: 'text/event-stream',
    change: (batch) =>
      Buffer.from(`id: ${batch.revision}\nevent: change\ndata: {${changeMembers(batch, encoding)}}\n\n`),
    progress: (revision) => `id: ${revision}\nevent: progress\ndata: {"revision":${revision}}\n\n`,
    // Without an id: a browser that connects again asks for what comes after the last one that it has seen.
    end: (error) => `event: ${endOf(error)}\ndata: ${problemText(error)}\n`,
  };
}

function ndjson(encoding: Encoding): WatchFormat {
  return {
    type: 'application/x-ndjson',
    change: (batch) => Buffer.from(`{"type":"change",${changeMembers(batch, encoding)}}\n`),
    progress: (revision) => `{"type":"progress","revision":${revision}}\n`,
    end: (error) => {
      const { compactRevision } = error.extras;
      const compacted = compactRevision === undefined ? '' : `,"compactRevision":${compactRevision}`;
      return `{"type":"${endOf(error)}"${compacted},"problem":${problemText(error).trimEnd()}}\n`;
    },
  };
}

export const watchFormats: Readonly<Record<WatchFormat['type'], Readonly<Record<Encoding, WatchFormat>>>> = {
  'text/event-stream': { auto: eventStream('auto'), base64: eventStream('base64') },
  'application/x-ndjson': { auto: ndjson('auto'), base64: ndjson('base64') },
};

function endOf(error: BalsaError): 'compacted' | 'error' {
  return error.code === 'compacted' ? 'compacted' : 'error';
}

function changeMembers({ revision, events }: WatchBatch, encoding: Encoding): string {
  return `"revision":${revision},"events":[${events.map((event) => eventJson(event, encoding)).join(',')}]`;
}

function eventJson({ type, kv, previous }: WatchEvent, encoding: Encoding): string {
  const format = { encoding, keysOnly: false };
  const written =
    type === 'put'
      ? keyValueJson(kv, format)
      : `{${bytesMember('key', kv.key, encoding)},"modRevision":${kv.modRevision}}`;
  const prevKv = previous === undefined ? '' : `,"prevKv":${keyValueJson(previous, format)}`;
  return `{"type":"${type}","kv":${written}${prevKv}}`;
}
