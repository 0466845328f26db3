import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ChunkAnswer,
  decodeChunkAnswer,
  decodeChunkQuestion,
  decodeDescription,
  encodeChunkAnswer,
  encodeChunkQuestion,
  encodeDescription,
  type TransferDescription,
} from './snapshot-transfer.ts';

const described: TransferDescription = {
  transfer: 3,
  index: 1000,
  term: 7,
  configuration: { voters: ['1', 'a2'], votersOutgoing: [], learners: ['ff'], learnersNext: [], autoLeave: false },
  bytesExpected: 12,
};

test('snapshot transfer: question and description come back as they were', () => {
  assert.deepEqual(decodeChunkQuestion(encodeChunkQuestion({ transfer: 3, chunk: 2 ** 32 - 1 })), {
    transfer: 3,
    chunk: 2 ** 32 - 1,
  });
  assert.deepEqual(decodeDescription(encodeDescription(described)), described);
});

test('snapshot transfer: the answers to questions for chunks come back as they were', () => {
  const digest = Buffer.alloc(32, 7);
  const all: readonly ChunkAnswer[] = [
    { kind: 'gone' },
    { kind: 'data', digest, data: Buffer.from('d') },
    { kind: 'end', digest },
  ];
  for (const answer of all) assert.deepEqual(decodeChunkAnswer(encodeChunkAnswer(answer)), answer);
  const none = [[], [0, 0], [1], [1, ...digest], [2], [2, ...digest, 0], [3, ...digest]];
  for (const body of none) assert.equal(decodeChunkAnswer(Buffer.from(body)), undefined, String(body));
});

test('snapshot transfer: whatever is none is refused', () => {
  for (const length of [0, 7, 9]) assert.equal(decodeChunkQuestion(Buffer.alloc(length)), undefined);
  const changed = (change: object): Buffer => Buffer.from(JSON.stringify({ ...described, chunkFormat: 1, ...change }));
  const none = [
    Buffer.from('{'),
    Buffer.from('null'),
    changed({ index: 0 }),
    changed({ chunkFormat: 2 }),
    changed({ term: 0 }),
    changed({ index: 1.5 }),
    changed({ bytesExpected: -1 }),
    changed({ transfer: '3' }),
    changed({ configuration: null }),
    changed({ configuration: { ...described.configuration, voters: [] } }),
    changed({ configuration: { ...described.configuration, voters: ['0'] } }),
    changed({ configuration: { ...described.configuration, learners: ['ABC'] } }),
    changed({ configuration: { ...described.configuration, autoLeave: 1 } }),
  ];
  for (const body of none) assert.equal(decodeDescription(body), undefined, body.toString());
});
