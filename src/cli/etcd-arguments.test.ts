import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizeEtcdArguments } from './etcd-arguments.ts';
import { CommandError } from './exit-codes.ts';

const accepted: readonly [name: string, given: string, normal: string][] = [
  ['two dashes and a space', '--name x --data-dir y', '--name=x --data-dir=y'],
  ['two dashes and an equals sign', '--name=x --data-dir=y', '--name=x --data-dir=y'],
  ['one dash, as Go takes it', '-name x -data-dir=y', '--name=x --data-dir=y'],
  ['an equals sign in the value', '--initial-cluster a=http://a:1', '--initial-cluster=a=http://a:1'],
  ['a value that is empty', '--name=', '--name='],
  ['a value that begins with a dash', '--initial-cluster-token -t', '--initial-cluster-token=-t'],
  ['a switch of etcd alone', '--pre-vote --name x', '--pre-vote=true --name=x'],
  ['a switch of etcd with its value', '--pre-vote=false -enable-pprof=true', '--pre-vote=false --enable-pprof=true'],
  [
    'an option of etcd with a value',
    '--snapshot-count 5 -quota-backend-bytes=0',
    '--snapshot-count=5 --quota-backend-bytes=0',
  ],
  ['the configuration file', '-config-file etcd.yaml', '--config-file=etcd.yaml'],
  ['help and version', '-h --help --version', '--h --help --version'],
];

for (const [name, given, normal] of accepted) {
  test(`arguments: ${name}`, () => {
    assert.equal(normalizeEtcdArguments(given.split(' ')).join(' '), normal);
  });
}

const refused: readonly [name: string, given: readonly string[], line: RegExp][] = [
  ['a flag that does not exist', ['--nmae', 'x'], /^--nmae: there is no such flag; did you mean --name\?$/],
  ['a flag that does not exist, with one dash', ['-nmae=x'], /^--nmae: there is no such flag/],
  ['a word that is no flag', ['node1'], /^"node1": balsa serve takes flags only/],
  ['a word after a switch', ['--pre-vote', 'true'], /^"true": balsa serve takes flags only/],
  ['line ends and terminal commands, shown as what they are', ['a\r\n\x1b[2J'], /^"a\\u000d\\u000a\\u001b\[2J": /],
  ['a lonely dash', ['--'], /^"--": balsa serve takes flags only/],
  ['a flag without its value', ['--name'], /^--name: needs a value, as in --name=NAME$/],
  ['a flag in place of a value', ['--name', '--data-dir', 'x'], /^--name: needs a value/],
];

for (const [name, given, line] of refused) {
  test(`arguments: refused: ${name}`, () => {
    assert.throws(
      () => normalizeEtcdArguments(given),
      (reason) => reason instanceof CommandError && line.test(reason.message),
    );
  });
}
