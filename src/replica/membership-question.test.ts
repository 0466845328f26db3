import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeMembershipQuestion, encodeMembershipQuestion, type MembershipQuestion } from './membership-question.ts';

const questions: readonly MembershipQuestion[] = [
  { kind: 'add', id: 'a1', name: 'node4', peerUrls: ['http://10.0.0.4:2380'], promote: 'auto' },
  { kind: 'promote', id: 'a1' },
  { kind: 'remove', id: 'a1' },
  { kind: 'update', id: 'a1', peerUrls: ['http://10.0.0.5:2380', 'http://node5:2380'] },
  { kind: 'moveLeader', to: '' },
];

test('membership question: comes back as it was', () => {
  for (const question of questions) {
    const body = encodeMembershipQuestion(question, 4999.5);
    assert.deepEqual(decodeMembershipQuestion(body), { question, timeoutMs: 5000 });
  }
});

test('membership question: whatever is none is refused', () => {
  const none = [
    '',
    'null',
    '[]',
    '{"timeoutMs":1}',
    '{"timeoutMs":-1,"question":{"kind":"promote","id":"a"}}',
    '{"timeoutMs":1e300,"question":{"kind":"promote","id":"a"}}',
    '{"timeoutMs":1,"question":{"kind":"demote","id":"a"}}',
    '{"timeoutMs":1,"question":{"kind":"promote","id":7}}',
    '{"timeoutMs":1,"question":{"kind":"moveLeader"}}',
    '{"timeoutMs":1,"question":{"kind":"update","id":"a","peerUrls":[7]}}',
    '{"timeoutMs":1,"question":{"kind":"add","id":"a","name":"n","peerUrls":[],"promote":"never"}}',
  ];
  for (const text of none) assert.equal(decodeMembershipQuestion(Buffer.from(text)), undefined, text);
});
