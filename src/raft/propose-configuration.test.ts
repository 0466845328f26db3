import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeConfigurationData } from './configuration-data.ts';
import { LoneCore, votersOf } from './testing/core.ts';
import { TestNetwork } from './testing/network.ts';
import type { ConfigurationChange, Entry } from './types.ts';

const target: ConfigurationChange = { voters: ['1', '2', '3'], learners: [], context: Buffer.from('who') };

function changesIn(entries: readonly Entry[]): unknown[] {
  return entries.filter(({ type }) => type === 'configuration').map(({ data }) => decodeConfigurationData(data));
}

function leading(): LoneCore {
  const node = new LoneCore().lead();
  node.accept(1);
  node.rest();
  return node;
}

test('propose configuration: learners come and go by one entry, which carries the context', () => {
  const node = leading();
  const result = node.core.proposeConfiguration({ ...target, learners: ['4'] });
  assert.deepEqual(result, { accepted: true, term: 1, firstIndex: 2 });
  const configuration = { ...votersOf('1', '2', '3'), learners: ['4'] };
  const { entries } = node.work();
  assert.deepEqual(changesIn(entries), [{ configuration, context: target.context }]);
  assert.deepEqual(node.core.status().pendingConfiguration, { index: 2, configuration });
  node.accept(2);
  node.rest();
  assert.equal(node.core.status().pendingConfiguration, undefined);
});

test('propose configuration: with voters that change the context goes into the joint one, and leaving it has none', () => {
  const node = leading();
  node.core.proposeConfiguration({ ...target, voters: ['1', '2'], learners: ['3'] });
  const joint = {
    voters: ['1', '2'],
    votersOutgoing: ['1', '2', '3'],
    learners: [],
    learnersNext: ['3'],
    autoLeave: true,
  };
  assert.deepEqual(changesIn(node.work().entries), [{ configuration: joint, context: target.context }]);
  node.accept(2);
  node.rest();
  const left = { ...votersOf('1', '2'), learners: ['3'] };
  const [entry] = node.log.entries(3, 4, 1000);
  assert.deepEqual(changesIn([entry as Entry]), [{ configuration: left, context: Buffer.alloc(0) }]);
  assert.deepEqual(node.core.status().pendingConfiguration, { index: 3, configuration: left });
});

test('propose configuration: it counts among what is open, and does not pass the limit', () => {
  const node = new LoneCore({}, { uncommittedBytesMax: 100 }).lead();
  node.accept(1);
  node.rest();
  node.propose('x'.repeat(90));
  const result = node.core.proposeConfiguration({ ...target, learners: ['4'] });
  assert.deepEqual(result, { accepted: false, reason: 'uncommitted_limit' });
  assert.deepEqual(node.core.status().configuration, votersOf('1', '2', '3'));
});

test('propose configuration: a member that is added has an election timeout to answer before it counts as silent', () => {
  const node = leading();
  const { electionTicks } = { electionTicks: 10 };
  for (let tick = 0; tick < electionTicks; tick++) {
    node.core.tick();
    node.accept(1);
    node.accept(1, '3');
  }
  node.core.proposeConfiguration({ ...target, voters: ['1', '4', '5'] });
  assert.equal(node.follower('4').recentlyActive, true);
  for (let tick = 0; tick < electionTicks - 1; tick++) {
    node.core.tick();
    node.accept(1);
  }
  assert.equal(node.core.role, 'leader');
  node.core.tick();
  // A majority of the old voters answers, and of the new ones nobody: it cannot commit.
  assert.equal(node.core.role, 'follower');
});

test('propose configuration: a lease that another quorum gave is over', () => {
  const node = new LoneCore({}, { readMode: 'lease' });
  for (let tick = 0; tick < 10; tick++) node.core.tick();
  node.lead();
  node.accept(1);
  node.rest();
  node.core.tick();
  node.rest();
  node.hear({ type: 'heartbeatResponse', readRound: 1, suspectTerm: 0 });
  node.core.requestReadIndex(7);
  assert.deepEqual(node.work().readStates, [{ context: 7, index: 1 }]);
  node.core.proposeConfiguration({ ...target, voters: ['1', '2'] });
  node.core.requestReadIndex(8);
  assert.deepEqual(node.work().readStates, []);
});

test('propose configuration: a cluster of one becomes another one, without an election timeout', () => {
  const network = new TestNetwork(['1']);
  network.elect('1');
  network.join('2');
  assert.ok(network.core('1').proposeConfiguration({ ...target, voters: ['2'] }).accepted);
  network.settle();
  assert.deepEqual([network.core('1').role, network.core('2').role], ['follower', 'leader']);
  network.propose('2', 'x');
  network.settle();
  assert.deepEqual(network.core('2').status().configuration, votersOf('2'));
  // It has heard that it is out, and stays quiet.
  assert.equal(network.core('1').status().pendingConfiguration, undefined);
  network.tick(50);
  assert.equal(network.core('1').term, network.core('2').term);
});

test('propose configuration: a leader that leaves loses no proposal that it has taken', () => {
  const network = new TestNetwork(['1', '2', '3']);
  network.elect('1');
  assert.ok(network.core('1').proposeConfiguration({ ...target, voters: ['2', '3'] }).accepted);
  let taken = 0;
  for (let round = 0; network.core('1').role === 'leader' && round < 100; round++) {
    if (network.core('1').propose([Buffer.from(`${round}`)]).accepted) taken++;
    for (const member of network.members.values()) {
      if (!member.hasWork) continue;
      if (!member.isBusy) network.send(member.begin());
      network.send(member.finish());
    }
    for (const message of network.onTheirWay.splice(0)) network.deliver(message);
  }
  network.settle();
  assert.ok(taken > 0);
  for (const id of ['1', '2', '3']) {
    assert.equal(network.member(id).applied.filter(({ type }) => type === 'command').length, taken, id);
  }
});
