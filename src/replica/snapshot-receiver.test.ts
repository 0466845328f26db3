import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IncomingStore } from './incoming-store.ts';
import { peerRequestKinds } from './peer-request-kinds.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import { SnapshotSender } from './snapshot-sender.ts';
import { TestMembers } from './testing/members.ts';
import { MemoryFiles } from './testing/memory-files.ts';
import { put } from './testing/requests.ts';

/** What becomes of the answers to the questions for chunks, in the order in which they come. */
type Change = (answer: Uint8Array, question: number) => Uint8Array;

interface Received {
  readonly receiver: SnapshotReceiver;
  readonly questions: number;
  readonly warnings: readonly string[];
}

/** Feeds a receiver from a leader whose store makes four chunks, over a network that changes answers. */
async function receive(change: Change): Promise<Received> {
  await using members = await TestMembers.start(1);
  const leader = await members.leader();
  for (const key of ['a', 'b']) await members.settle(put(leader, key, key.repeat(700_000)));
  const { log, logger } = leader.replica.options;
  const sender = new SnapshotSender({ log, store: leader.store, logger, clock: members.clock });
  const warnings: string[] = [];
  let questions = 0;
  const receiver = new SnapshotReceiver({
    core: leader.replica.core,
    groupId: 1,
    clock: members.clock,
    state: {
      beginIncoming: () => IncomingStore.open(new MemoryFiles(), 1, members.clock),
      exchangeStore: () => assert.fail('nothing is installed'),
    },
    transport: {
      request: async (_to, { kind, body }) => {
        if (kind === peerRequestKinds.snapshotOpen) return { outcome: 'answered', body: await sender.open('2') };
        return { outcome: 'answered', body: change(await sender.chunk(body), questions++) };
      },
    },
    logger: { info: () => undefined, warn: (event) => warnings.push(event) },
    wake: () => undefined,
  });
  receiver.onOffer({ from: leader.id, term: leader.replica.core.term, index: leader.store.appliedIndex });
  await members.clock.until('it is received or given up', () => {
    return receiver.received !== undefined || warnings.includes('snapshot not received');
  });
  await members.settle(receiver.close());
  await sender.close();
  return { receiver, questions, warnings };
}

/** Three of data and the end. */
const answers = 4;

test('snapshot receiver: takes what was sent', async () => {
  const { receiver, questions, warnings } = await receive((answer) => answer);
  assert.ok(receiver.received !== undefined);
  assert.equal(questions, answers);
  assert.deepEqual(warnings, []);
});

for (let damaged = 0; damaged < answers; damaged++) {
  for (const place of ['first', 'middle', 'last'] as const) {
    test(`snapshot receiver: a flipped bit in the ${place} byte of answer ${damaged} costs that answer alone`, async () => {
      const { receiver, questions, warnings } = await receive((answer, question) =>
        question === damaged ? flipped(answer, place) : answer,
      );
      assert.ok(receiver.received !== undefined);
      assert.equal(questions, answers + 1, 'it was asked for once more');
      assert.deepEqual(warnings, ['chunk of a snapshot damaged']);
    });
  }
}

test('snapshot receiver: takes nothing of a chunk that comes damaged every time', async () => {
  const { receiver, warnings } = await receive((answer, question) =>
    question >= 2 ? flipped(answer, 'middle') : answer,
  );
  assert.equal(receiver.received, undefined);
  assert.equal(warnings.at(-1), 'snapshot not received');
});

test('snapshot receiver: a chunk in the place of another is refused, though it is whole', async () => {
  let first: Uint8Array | undefined;
  const { receiver, warnings } = await receive((answer, question) => {
    first ??= answer;
    return question === 1 ? first : answer;
  });
  assert.ok(receiver.received !== undefined);
  assert.deepEqual(warnings, ['chunk of a snapshot damaged']);
});

test('snapshot receiver: an end that comes early is none', async () => {
  const { receiver, questions } = await receive((answer, question) =>
    question === 1 ? Buffer.concat([Buffer.of(2), answer.subarray(1, 33)]) : answer,
  );
  assert.ok(receiver.received !== undefined);
  assert.equal(questions, answers + 1);
});

function flipped(answer: Uint8Array, place: 'first' | 'middle' | 'last'): Uint8Array {
  const copy = Buffer.from(answer);
  const at = { first: 0, middle: Math.floor(copy.length / 2), last: copy.length - 1 }[place];
  // Not to another kind of answer that would be taken for what it says.
  copy[at] = (copy[at] as number) ^ 0x40;
  return copy;
}
