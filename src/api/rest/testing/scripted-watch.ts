import type { TestContext } from 'node:test';
import type { Revision } from '../../../contract/kv.ts';
import type { WatchBatch, WatchEvent, WatchRequest } from '../../../contract/watch.ts';
import type { RequestOptions, Watch, WatchSink } from '../../../replica/service.ts';
import type { RestOptions } from '../index.ts';
import { header } from './answers.ts';
import { type RunningApp, startApp } from './start-api.ts';

/** A watch that tells what the test says, when the test says it. */
export interface ScriptedWatch {
  readonly request: WatchRequest;
  readonly options: RequestOptions;
  readonly sink: WatchSink;
  /** How often the skin asked for more. */
  resumes(): number;
  /** Resolves with the next `resume`. */
  resumed(): Promise<void>;
  /** Resolves when the skin has closed it. */
  readonly closed: Promise<void>;
}

export interface ScriptedWatchApp extends RunningApp {
  /** Resolves when a client has asked for a watch; one after the other. */
  nextWatch(): Promise<ScriptedWatch>;
}

/**
 * @param begin What happens before the skin knows that the watch has begun: a service may call the sink by then.
 */
export async function startWatchApp(
  t: Pick<TestContext, 'after'>,
  options: Partial<RestOptions> = {},
  begin: (sink: WatchSink) => void | Promise<void> = () => {},
): Promise<ScriptedWatchApp> {
  const watches: ScriptedWatch[] = [];
  let wake: () => void = () => {};
  const app = await startApp(
    t,
    {
      watch: async (request, sink, requestOptions) => {
        const { watch, scripted } = scriptedWatch(request, sink, requestOptions);
        watches.push(scripted);
        wake();
        await begin(sink);
        return watch;
      },
    },
    options,
  );
  const nextWatch = async (): Promise<ScriptedWatch> => {
    for (;;) {
      const watch = watches.shift();
      if (watch !== undefined) return watch;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { ...app, nextWatch };
}

function scriptedWatch(
  request: WatchRequest,
  sink: WatchSink,
  options: RequestOptions,
): { watch: Watch; scripted: ScriptedWatch } {
  let resumes = 0;
  let onResume: () => void = () => {};
  let close: () => void = () => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const resume = (): void => {
    resumes++;
    onResume();
  };
  const resumed = (): Promise<void> =>
    new Promise((resolve) => {
      onResume = resolve;
    });
  return {
    watch: { header, toldTo: () => header.revision, resume, close },
    scripted: { request, options, sink, resumes: () => resumes, resumed, closed },
  };
}

/** A batch that counts how often it is encoded. */
export function batchOf(revision: Revision, events: readonly WatchEvent[]): WatchBatch & { encodings(): number } {
  const made = new Map<unknown, Buffer>();
  return {
    revision,
    events,
    encoded(encode) {
      const known = made.get(encode) ?? encode(this);
      made.set(encode, known);
      return known;
    },
    encodings: () => made.size,
  };
}

export function putEvent(key: string, value: string | Buffer, modRevision: Revision): WatchEvent {
  const kv = { key: Buffer.from(key), value: Buffer.from(value), createRevision: 2, modRevision, version: 3 };
  return { type: 'put', kv, previous: undefined };
}

export function deleteEvent(key: string, modRevision: Revision): WatchEvent {
  const kv = { key: Buffer.from(key), value: Buffer.alloc(0), createRevision: 0, modRevision, version: 0 };
  return { type: 'delete', kv, previous: undefined };
}
