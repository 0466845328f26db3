import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Member } from '../client/index.ts';
import { nextStep, planReplacement, type ReplacementRequest } from './replacement.ts';
import { voters } from './testing/member-server.ts';

const [node1, node2, node3] = voters(3) as [Member, Member, Member];
const elsewhere = ['http://10.0.0.4:2380'];
const learner: Member = { ...node3, id: 'b1', name: 'node4', role: 'learner', peerUrls: elsewhere };
const promoted: Member = { ...learner, role: 'voter' };
const again: Member = { ...node3, id: 'b2', role: 'learner', clientUrls: [] };

/** What comes first, and whom it is about. */
function first(members: readonly Member[], request: Partial<ReplacementRequest>, up: readonly string[] = []) {
  const plan = planReplacement(members, { old: 'node3', name: undefined, peerUrls: undefined, ...request }, ({ id }) =>
    up.includes(id),
  );
  const step = nextStep(plan, members);
  switch (step.kind) {
    case 'add':
      return `add ${plan.name} at ${plan.peerUrls}`;
    case 'remove':
      return `remove ${step.old.id}`;
    default:
      return `${step.kind} ${step.successor.id}`;
  }
}

test('replacement: elsewhere: added first, waited for, and then the old one is removed', () => {
  const request = { name: 'node4', peerUrls: elsewhere };
  assert.equal(first([node1, node2, node3], request), 'add node4 at http://10.0.0.4:2380');
  assert.equal(first([node1, node2, node3, learner], request), 'wait b1');
  assert.equal(first([node1, node2, node3, promoted], request), 'remove a3');
  assert.equal(first([node1, node2, promoted], request, ['b1']), 'done b1');
});

test('replacement: elsewhere, under the same name: the names are those of two for a while', () => {
  const request = { peerUrls: elsewhere };
  assert.equal(first([node1, node2, node3], request), 'add node3 at http://10.0.0.4:2380');
  assert.equal(first([node1, node2, node3, { ...learner, name: 'node3' }], request), 'wait b1');
  assert.equal(first([node1, node2, node3, { ...promoted, name: 'node3' }], request), 'remove a3');
  assert.equal(first([node1, node2, { ...promoted, name: 'node3' }], request, ['b1']), 'done b1');
});

test('replacement: elsewhere, and the old one was removed by hand: only the new one is waited for', () => {
  assert.equal(first([node1, node2, learner], { peerUrls: elsewhere }), 'wait b1');
});

test('replacement: in place: removed first, because an address is that of one member', () => {
  for (const peerUrls of [undefined, node3.peerUrls]) {
    assert.equal(first([node1, node2, node3], { peerUrls }), 'remove a3');
    assert.equal(first([node1, node2, again], { peerUrls }), 'wait b2');
    const plan = planReplacement([node1, node2, node3], { old: 'a3', name: undefined, peerUrls }, () => false);
    assert.equal(nextStep(plan, [node1, node2]).kind, 'add');
    assert.equal(nextStep(plan, [node1, node2, again]).kind, 'wait');
    assert.equal(nextStep(plan, [node1, node2, { ...again, role: 'voter' }]).kind, 'done');
  }
});

test('replacement: in place, of a member that is up: refused, or done already', () => {
  assert.throws(() => first([node1, node2, node3], {}, ['a3']), /node3 \(a3\) is up; stop it and delete its data/);
  assert.equal(first([node1, node2, node3], { peerUrls: node3.peerUrls }, ['a3']), 'done a3');
});

test('replacement: what cannot be meant is refused', () => {
  const all = [node1, node2, node3];
  assert.throws(() => first(all, { old: 'node9' }), /there is no member node9; the members are node1 \(a1\), /);
  assert.throws(() => first(all, { old: 'node9', peerUrls: elsewhere }), /there is no member node9/);
  assert.throws(() => first(all, { old: 'node9', peerUrls: node3.peerUrls }), /votes, and is not node9; give other/);
  const twice = [node1, { ...node2, name: 'node3' }, node3];
  assert.throws(() => first(twice, {}), /2 members are called node3; say which by its id: a2, a3/);
});
