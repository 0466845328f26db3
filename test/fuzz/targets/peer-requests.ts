import assert from 'node:assert/strict';
import { decodeResult, encodeCommand } from '../../../src/mvcc/index.ts';
import { randomCommand } from '../../../src/mvcc/testing/random-commands.ts';
import { decodeWriteAnswer, encodeWriteRequest } from '../../../src/replica/forwarded-write.ts';
import { peerRequestKinds } from '../../../src/replica/peer-request-kinds.ts';
import { decodeProgress } from '../../../src/replica/progress.ts';
import { type TestMember, TestMembers } from '../../../src/replica/testing/members.ts';
import { mutate, oneIn } from '../engine/mutate.ts';
import { Broken, type Input, type OpenTarget, type Target } from '../engine/target.ts';

export const peerRequestsTarget: Target = {
  name: 'peer-requests',
  about: "a peer's requests, forwarded writes above all → a leading replica with its log, driver and store",
  weight: 1,
  where: 'here',
  open,
};

/** Everything is kept in memory: a new member before it is too much. */
const writesMax = 4000;

async function open(): Promise<OpenTarget> {
  let members = await TestMembers.start(1);
  let leader = await members.leader();
  let writes = 0;

  return {
    make(random) {
      const command = encodeCommand(randomCommand(random, 1 + random.below(50)));
      const body = encodeWriteRequest(command, oneIn(random, 10) ? random.below(2 ** 32) : 1000 + random.below(9000));
      const kind = oneIn(random, 20) ? `${random.below(10)}` : `${peerRequestKinds.write}`;
      return { kind, bytes: oneIn(random, 4) ? body : mutate(random, body, command) };
    },

    async run({ kind, bytes }: Input) {
      if (++writes % writesMax === 0) await startAnew();
      const receiver = members.network.receiverOf(leader.id);
      assert.ok(receiver !== undefined);
      const request = { groupId: 1, kind: Number(kind), timeoutMs: 5000, body: bytes };
      const asked = receiver.onRequest('2', request).then(
        (answer) => checkAnswer(request.kind, answer),
        (reason) => {
          if (!(reason instanceof Error) || reason.name !== 'Error') throw reason;
        },
      );
      await Promise.race([asked, pass(members)]);
      await asked;
      checkWell(leader);
    },

    close: async () => members[Symbol.asyncDispose](),
  };

  async function startAnew(): Promise<void> {
    await members[Symbol.asyncDispose]();
    members = await TestMembers.start(1);
    leader = await members.leader();
  }
}

/** Time for what waits for a time-out; most answers need none, and come first. */
async function pass({ clock }: TestMembers): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  await clock.pass(10_000);
}

function checkAnswer(kind: number, answer: Uint8Array): void {
  if (kind === peerRequestKinds.progress) assert.ok(decodeProgress(answer) !== undefined, 'no progress of a leader');
  if (kind !== peerRequestKinds.write) return;
  const decoded = decodeWriteAnswer(answer);
  assert.ok(decoded !== undefined, 'an answer that no member can read');
  if (decoded.outcome === 'done') decodeResult(answer.subarray(9));
  if (decoded.outcome === 'failed') assert.notEqual(decoded.error.code, 'internal');
}

function checkWell({ replica, failures }: TestMember): void {
  if (failures.length > 0) throw new Broken('the member had to stop', { cause: failures[0] });
  assert.equal(replica.core.role, 'leader');
}
