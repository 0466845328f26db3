import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCommand } from '../mvcc/index.ts';
import type { ProposalResult, Role } from '../raft/index.ts';
import { Deadlines } from './deadlines.ts';
import { noMetrics } from './metrics.ts';
import { VirtualClock } from './testing/virtual-clock.ts';
import { Writes } from './writes.ts';

test('writes: one whose index another proposal of this member took is sent again when that index is applied', async () => {
  // The member led, lost its entries to another leader, and led again before anything was applied in their place.
  const core = new ScriptedCore();
  const writes = newWrites(core);
  core.next = { accepted: true, term: 2, firstIndex: 5 };
  const early = writes.submit(command('early'), 60_000);
  writes.proposeCollected();
  core.next = { accepted: true, term: 4, firstIndex: 5 };
  const late = writes.submit(command('late'), 60_000);
  writes.proposeCollected();

  writes.onApplied({ term: 4, index: 5, type: 'command', data: command('late') }, [{ kind: 'done', revision: 7 }]);
  assert.deepEqual(await late, { outcome: 'done', term: 4, result: { kind: 'done', revision: 7 } });
  assert.deepEqual(core.proposed, ['early', 'late']);

  core.next = { accepted: true, term: 4, firstIndex: 6 };
  writes.proposeCollected();
  assert.deepEqual(core.proposed, ['early', 'late', 'early']);
  writes.onApplied({ term: 4, index: 6, type: 'command', data: command('early') }, [{ kind: 'done', revision: 8 }]);
  assert.equal((await early).result.revision, 8);
  assert.equal(writes.pending, 0);
});

test('writes: where many have waited for long, a new one is refused at once instead of after its time-out', async () => {
  const core = new ScriptedCore();
  const clock = new VirtualClock();
  const writes = newWrites(core, { clock, pendingMax: 1000 });
  const queue = Array.from({ length: 300 }, () => writes.submit(command('early'), 60_000).catch(() => undefined));
  clock.advance(900);
  const stillTaken = writes.submit(command('early'), 60_000).catch(() => undefined);
  assert.equal(writes.pending, 301);
  clock.advance(200);
  await assert.rejects(writes.submit(command('late'), 60_000), { code: 'too_many_requests' });
  assert.equal(writes.pending, 301);
  writes.close('The test is over');
  await Promise.all([...queue, stillTaken]);
});

test('writes: a few that wait for a slow disk are no queue', async () => {
  const clock = new VirtualClock();
  const writes = newWrites(new ScriptedCore(), { clock, pendingMax: 1000 });
  const waiting = Array.from({ length: 20 }, () => writes.submit(command('early'), 60_000).catch(() => undefined));
  clock.advance(5000);
  waiting.push(writes.submit(command('late'), 60_000).catch(() => undefined));
  assert.equal(writes.pending, 21);
  writes.close('The test is over');
  await Promise.all(waiting);
});

/** A leader that says what the test wants it to say. */
class ScriptedCore {
  readonly role: Role = 'leader';
  readonly leader = '1';
  readonly isTransferring = false;
  readonly proposed: string[] = [];
  next: ProposalResult = { accepted: false, reason: 'not_leader' };

  propose(data: readonly Uint8Array[]): ProposalResult {
    for (const bytes of data) this.proposed.push(/early|late/.exec(Buffer.from(bytes).toString())?.[0] ?? '');
    return this.next;
  }
}

function newWrites(core: ScriptedCore, { clock = new VirtualClock(), pendingMax = 10 } = {}): Writes {
  return new Writes({
    core,
    clock,
    deadlines: new Deadlines(clock),
    metrics: noMetrics,
    pendingMax,
    pendingBytesMax: 100_000,
    wake: () => undefined,
    forward: () => assert.fail('a leader forwards nothing'),
  });
}

function command(memberId: string): Uint8Array {
  return encodeCommand({ kind: 'publish', memberId, name: '', clientUrls: [], version: '' });
}
