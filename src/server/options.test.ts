import assert from 'node:assert/strict';
import { test } from 'node:test';
import { etcdFlag } from './etcd-flags.ts';
import { configFile, flagOfVariable, optionOfFlag, options, variableOf } from './options.ts';

test('options: every flag has a variable, and the variable leads back to it', () => {
  for (const { flag } of [...Object.values(options), configFile]) {
    assert.equal(flagOfVariable(variableOf(flag)), flag);
    assert.equal(flagOfVariable(variableOf(flag, 'ETCD')), flag);
  }
  assert.equal(variableOf('initial-advertise-peer-urls'), 'BALSA_INITIAL_ADVERTISE_PEER_URLS');
  assert.equal(flagOfVariable('HOME'), undefined);
});

test('options: a flag has one meaning, and none of them is also an etcd flag without effect', () => {
  const flags = Object.values(options).map((option) => option.flag);
  assert.equal(new Set(flags).size, flags.length);
  for (const [name, { flag }] of Object.entries(options)) {
    assert.equal(optionOfFlag(flag), name);
    assert.equal(etcdFlag(flag), undefined);
  }
});

test('options: every default is a value that the option accepts', () => {
  for (const option of Object.values(options)) {
    if (option.default === undefined) continue;
    assert.deepEqual(option.schema.parse(option.default), option.default, option.flag);
  }
});

test('etcd flags: a switch takes no value, the others do', () => {
  assert.deepEqual(etcdFlag('pre-vote'), { isSwitch: true, refusal: undefined });
  assert.deepEqual(etcdFlag('max-wals'), { isSwitch: false, refusal: undefined });
  assert.deepEqual(etcdFlag('experimental-warning-apply-duration'), { isSwitch: false, refusal: undefined });
  assert.equal(etcdFlag('no-flag-of-etcd'), undefined);
});

test('etcd flags: what would leave a door open, or found another cluster than was asked for, is refused', () => {
  for (const flag of [
    'cert-file',
    'client-cert-auth',
    'peer-auto-tls',
    'discovery',
    'discovery-srv',
    'force-new-cluster',
  ]) {
    assert.notEqual(etcdFlag(flag)?.refusal, undefined, flag);
  }
});
