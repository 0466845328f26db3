import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SnapshotOffer } from '../raft/index.ts';
import { RunningDigest } from '../storage/index.ts';
import type { PeerAnswer, PeerRequest } from '../transport/index.ts';
import { openState, type State } from './open-state.ts';
import { peerRequestKinds } from './peer-request-kinds.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import { decodeChunkQuestion, encodeChunkAnswer, encodeDescription } from './snapshot-transfer.ts';
import { MemoryFiles } from './testing/memory-files.ts';
import { type SnapshotOfPuts, snapshotOfPuts, threeVoters } from './testing/snapshot-source.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

const heartbeatMs = 100;

/** A disk that can be full. */
class FullableFiles extends MemoryFiles {
  isFull = false;

  override async openIncoming(how: 'fresh' | 'found') {
    if (this.isFull) throw new Error('ENOSPC: no space left on device');
    return super.openIncoming(how);
  }
}

/** A member that is offered the same snapshot with each heartbeat. */
class Follower {
  readonly clock: VirtualClock;
  readonly receiver: SnapshotReceiver;
  /** When it began to fetch. */
  readonly attemptsMs: number[] = [];
  offer: SnapshotOffer = { from: '2', term: 4, index: 9 };

  constructor(clock: VirtualClock, state: State, source: SnapshotOfPuts) {
    this.clock = clock;
    this.receiver = new SnapshotReceiver({
      core: { term: 4 },
      transport: { request: async (_to, request) => this.#answer(source, request) },
      groupId: 1,
      state,
      clock,
      logger: { info: () => undefined, warn: () => undefined },
      wake: () => undefined,
    });
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    while (this.clock.monotonicMs() < endMs) {
      this.receiver.onOffer(this.offer);
      await this.clock.pass(heartbeatMs);
    }
  }

  #answer({ snapshot, chunks }: SnapshotOfPuts, { kind, body }: PeerRequest): PeerAnswer {
    const description = encodeDescription({ ...snapshot, transfer: 1, bytesExpected: 1 });
    if (kind === peerRequestKinds.snapshotOpen) {
      this.attemptsMs.push(this.clock.monotonicMs());
      return { outcome: 'answered', body: description };
    }
    const number = decodeChunkQuestion(body)?.chunk ?? 0;
    const digest = new RunningDigest();
    for (const bytes of [description, ...chunks.slice(0, number + 1)]) digest.add(bytes);
    const [data, value] = [chunks[number], digest.value()];
    const answer =
      data === undefined ? ({ kind: 'end', digest: value } as const) : ({ kind: 'data', digest: value, data } as const);
    return { outcome: 'answered', body: encodeChunkAnswer(answer) };
  }
}

async function follower(): Promise<{ readonly files: FullableFiles; readonly member: Follower }> {
  const [clock, files] = [new VirtualClock(), new FullableFiles()];
  const state = await openState({
    groupId: 1,
    clusterId: 'c1',
    memberId: '1',
    files,
    clock,
    bootstrap: threeVoters,
    bootstrapMembers: [],
    logCacheBytes: 1000,
    flushIntervalMs: 1e6,
    flushChangesMax: 1000,
    flushBytesMax: 1e6,
    logger: { info: () => undefined, warn: () => undefined },
  });
  return { files, member: new Follower(clock, state, await snapshotOfPuts(9)) };
}

test('snapshot receiver: a member whose disk was full fetched the snapshot anew five times a second', async () => {
  const { files, member } = await follower();
  files.isFull = true;
  await member.pass(60_000);
  const pauses = member.attemptsMs.slice(1).map((atMs, i) => atMs - (member.attemptsMs[i] ?? 0));
  assert.ok(member.attemptsMs.length <= 13, `${member.attemptsMs.length} attempts in a minute`);
  for (const [i, pauseMs] of pauses.entries()) {
    const leastMs = Math.min(10_000, 200 * 2 ** i);
    assert.ok(pauseMs >= leastMs && pauseMs <= leastMs + 2 * heartbeatMs, `pause ${i}: ${pauseMs} ms`);
  }

  files.isFull = false;
  await member.pass(10_000 + 2 * heartbeatMs);
  assert.equal(member.receiver.received?.index, 9);
  await member.receiver.settle(false);
  files.isFull = true;
  const before = member.attemptsMs.length;
  await member.pass(1000);
  assert.ok(member.attemptsMs.length >= before + 2, 'after one that came in it begins with short pauses again');
  await member.receiver.close();
});

test('snapshot receiver: another leader and the end of the process do not wait for a pause', async () => {
  const { files, member } = await follower();
  files.isFull = true;
  await member.pass(30_000);
  const before = member.attemptsMs.length;
  member.offer = { ...member.offer, from: '3' };
  await member.pass(2 * heartbeatMs);
  assert.equal(member.attemptsMs.length, before + 1);
  // The clock stands still from here on.
  await member.receiver.close();
});
