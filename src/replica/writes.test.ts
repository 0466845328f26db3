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

function newWrites(core: ScriptedCore): Writes {
  const clock = new VirtualClock();
  return new Writes({
    core,
    clock,
    deadlines: new Deadlines(clock),
    metrics: noMetrics,
    pendingMax: 10,
    pendingBytesMax: 10_000,
    wake: () => undefined,
    forward: () => assert.fail('a leader forwards nothing'),
  });
}

function command(memberId: string): Uint8Array {
  return encodeCommand({ kind: 'publish', memberId, name: '', clientUrls: [], version: '' });
}
