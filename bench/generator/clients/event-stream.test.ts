import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pair } from './client.ts';
import { EventStreamParser } from './event-stream.ts';

const progress = 'id: 4\nevent: progress\ndata: {"revision":4}\n\n';
const change =
  'id: 5\nevent: change\ndata: {"revision":5,"events":[' +
  '{"type":"put","kv":{"key":"a","value":"1","createRevision":5,"modRevision":5,"version":1}},' +
  '{"type":"delete","kv":{"key":"b","modRevision":5}}]}\n\n';
const events = [
  { key: 'a', value: '1' },
  { key: 'b', value: '' },
];

function check(chunks: readonly string[], expected: readonly Pair[]): void {
  const seen: Pair[] = [];
  const parser = new EventStreamParser((event) => seen.push(event));
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  assert.deepEqual(seen, expected);
}

describe('event stream', () => {
  it('a message holds all events of a revision', () => check([change], events));

  it('progress and comments are no events', () => check([progress, ': still here\n\n', change, progress], events));

  it('may come in any pieces', () => check([...(progress + change)], events));

  it('a message is read when it is whole', () => check([change.slice(0, -1)], []));

  it('that ends because of compaction is an error', () => {
    assert.throws(() => check(['event: compacted\ndata: {"compactRevision":3}\n\n'], []), /compactRevision/);
  });
});
