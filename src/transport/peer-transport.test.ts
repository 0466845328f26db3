import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Members } from './testing/members.ts';
import { until } from './testing/until.ts';

test('two members exchange messages and requests', async () => {
  await using members = await Members.start(['1', '2']);
  const [a, b] = [members.get('1'), members.get('2')];
  a.send({ type: 'heartbeat', from: '1', to: '2', term: 1, commit: 2, readRound: 3 });
  await until('the heartbeat', () => b.messages.length === 1);
  assert.deepEqual(b.messages, [{ type: 'heartbeat', from: '1', to: '2', term: 1, commit: 2, readRound: 3 }]);
  assert.deepEqual(await a.request('2', 'x'), { outcome: 'answered', body: Buffer.from('x') });
  await until('round trip', () => a.peer('2').roundTripMs !== undefined);
});
