import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type TrialResult, trialResult } from './judge.ts';
import type { Outcome, TrialOptions } from './trial.ts';

const options: TrialOptions = {
  keys: 1,
  valueBytes: 1,
  overwrites: 1,
  watchers: 1,
  watchSeconds: 1,
  soakMinutes: 1,
  fanOutWatchers: 1,
  fanOutSeconds: 1,
  kills: 1,
  stoppedReaders: 1,
  eventMegabytes: 1,
  writesPerSecond: 1,
};
const trial = {
  name: 'trial',
  title: 'A trial',
  notes: [],
  goals: () => [{ title: 'memory below 300 MiB', figure: 'memory', below: 300 }],
};
const againstEtcd = {
  ...trial,
  goals: () => [
    { title: "at most half of etcd's", figure: 'memory', ratioAtMost: 0.5 },
    { title: "at least half of etcd's", figure: 'memory', ratioAtLeast: 0.5 },
  ],
};

describe('trials', () => {
  it("have ratios of Balsa's figure to etcd's", () => {
    const [memory] = result(outcome(100), outcome(200)).figures;
    assert.deepEqual(memory, { name: 'memory', unit: 'MiB', balsa: 100, etcd: 200, ratio: 0.5 });
  });

  it('have no ratio without etcd, and are judged all the same', () => {
    const { figures, verdicts } = result(outcome(100), undefined);
    assert.ok(Number.isNaN(figures[0]?.ratio));
    assert.equal(verdicts[0]?.outcome, 'PASS');
  });

  it("show etcd's figures where Balsa failed", () => {
    const { figures, verdicts } = result({ figures: [], problems: ['it failed'], details: {} }, outcome(200));
    assert.equal(figures[0]?.etcd, 200);
    assert.equal(verdicts[0]?.outcome, 'NOT MEASURED');
  });

  for (const [value, problems, expected] of [
    [299.9, [], 'PASS'],
    [300, [], 'MISSED'],
    [100, ['keys are missing'], 'NOT TRUSTWORTHY'],
    [400, ['keys are missing'], 'MISSED'],
  ] as const) {
    it(`${value} MiB with ${problems.length} problems: ${expected}`, () => {
      assert.equal(result(outcome(value, problems), undefined).verdicts[0]?.outcome, expected);
    });
  }
});

describe('goals against etcd', () => {
  for (const [balsa, atMost, atLeast] of [
    [99, 'PASS', 'MISSED'],
    [100, 'PASS', 'PASS'],
    [101, 'MISSED', 'PASS'],
  ] as const) {
    it(`${balsa} to 200 MiB: at most half ${atMost}, at least half ${atLeast}`, () => {
      const { verdicts } = compared(outcome(balsa), outcome(200));
      assert.deepEqual(outcomesOf(verdicts), [atMost, atLeast]);
      assert.deepEqual([verdicts[0]?.value, verdicts[0]?.unit], [balsa / 200, '× etcd']);
    });
  }

  for (const [title, etcd] of [
    ['left out', undefined],
    ['failed', { figures: [], problems: ['it failed'], details: {} }],
  ] as const) {
    it(`are not measured where etcd was ${title}`, () => {
      assert.deepEqual(outcomesOf(compared(outcome(100), etcd).verdicts), ['NOT MEASURED', 'NOT MEASURED']);
    });
  }

  it('are met by figures only that can be trusted on both sides', () => {
    const wrong = ['keys are missing'];
    for (const { verdicts } of [
      compared(outcome(50, wrong), outcome(200)),
      compared(outcome(50), outcome(200, wrong)),
    ]) {
      assert.deepEqual(outcomesOf(verdicts), ['NOT TRUSTWORTHY', 'MISSED']);
    }
  });

  it("leave goals for Balsa's own figures alone", () => {
    assert.equal(result(outcome(100), outcome(200, ['keys are missing'])).verdicts[0]?.outcome, 'PASS');
  });
});

function result(balsa: Outcome, etcd: Outcome | undefined) {
  return trialResult({ trial, options, balsa, etcd });
}

function compared(balsa: Outcome, etcd: Outcome | undefined) {
  return trialResult({ trial: againstEtcd, options, balsa, etcd });
}

function outcomesOf(verdicts: TrialResult['verdicts']) {
  return verdicts.map((verdict) => verdict.outcome);
}

function outcome(value: number, problems: readonly string[] = []): Outcome {
  return { figures: [{ name: 'memory', unit: 'MiB', value }], problems, details: {} };
}
