import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BenchOptions, parseOptions, plannedRows, UsageError } from './options.ts';

describe('bench options', () => {
  it('are a full comparison by default', () => {
    const options = parsed([]);
    assert.equal(options.scenarios.length, 8);
    assert.equal(plannedRows(options).length, 8 * 3);
    assert.deepEqual(options.trials, []);
    assert.deepEqual(options.outstanding, [1, 64, 256]);
    assert.equal(options.runs, 5);
    assert.equal(options.withEtcd, true);
    assert.equal(options.name, 'full');
  });

  it('--scenario takes names and beginnings of names', () => {
    const options = parsed(['--scenario', 'put,get-leader']);
    assert.deepEqual(
      options.scenarios.map(({ name }) => name),
      ['put-leader', 'put-follower', 'get-leader'],
    );
    assert.equal(options.name, 'put+get-leader');
  });

  it('--scenario takes trials too, which nothing else does', () => {
    const options = parsed(['--scenario', 'keys,watch', '--keys=10000000', '--seconds=3']);
    assert.deepEqual(options.scenarios, []);
    assert.deepEqual(
      options.trials.map(({ name }) => name),
      ['keys', 'watchers'],
    );
    assert.equal(options.trialOptions.keys, 10_000_000);
    assert.equal(options.trialOptions.watchSeconds, 3);
    assert.equal(options.name, 'keys+watch');
  });

  it('fan-out has defaults of its own for flags that it shares', () => {
    const { watchers, watchSeconds, fanOutWatchers, fanOutSeconds, kills } = parsed([]).trialOptions;
    assert.deepEqual([watchers, watchSeconds, fanOutWatchers, fanOutSeconds, kills], [10_000, 60, 1000, 10, 20]);
    const { trials, trialOptions } = parsed([
      '--scenario=failover,fan-out',
      '--watchers=50',
      '--seconds=3',
      '--kills=2',
    ]);
    assert.deepEqual(
      trials.map(({ name }) => name),
      ['fan-out', 'failover'],
    );
    assert.deepEqual([trialOptions.fanOutWatchers, trialOptions.fanOutSeconds, trialOptions.kills], [50, 3, 2]);
  });

  it('--quick gives way to what is said explicitly', () => {
    const options = parsed(['--quick', '--seconds=3', '--connections=16']);
    assert.equal(options.runs, 1);
    assert.equal(options.seconds, 3);
    assert.deepEqual(options.outstanding, [16]);
    assert.equal(options.name, 'quick');
  });

  it('--goals measures what the goals of the protocol need, and nothing else', () => {
    assert.deepEqual(rows(['--goals']), [
      'put-leader 1',
      'put-leader 64',
      'put-leader 256',
      'put-leader 1000',
      'put-follower 256',
      'get-leader 256',
      'get-follower 256',
      'stale-get-leader 256',
      'prefix-leader 16',
    ]);
    assert.deepEqual(rows(['--goals', '--protocol=grpc']), [
      'put-leader 1',
      'put-leader 256',
      'put-leader 1024',
      'put-follower 256',
      'get-leader 256',
      'get-follower 256',
      'stale-get-leader 256',
      'txn-leader 256',
      'prefix-leader 16',
    ]);
    assert.equal(parsed(['--goals', '--protocol=grpc']).name, 'goals-grpc');
  });

  it('--goals is narrowed down by scenarios and numbers, and its tables with it', () => {
    assert.deepEqual(rows(['--goals', '--scenario=put', '--connections=256,4']), [
      'put-leader 256',
      'put-follower 256',
    ]);
    const options = parsed(['--goals', '--connections=1']);
    assert.deepEqual(
      options.scenarios.map(({ name }) => name),
      ['put-leader'],
    );
    assert.equal(options.name, 'goals-rest');
  });

  it('--scenario scaling has points of its own', () => {
    const options = parsed(['--scenario=scaling']);
    assert.deepEqual(options.scenarios, []);
    assert.deepEqual(options.trials, []);
    assert.deepEqual(options.scaling?.curves, ['value-size', 'keys', 'connections', 'nodes', 'watchers']);
    assert.deepEqual(options.scaling.connections, [1, 4, 16, 64, 256, 1024, 4096]);
    assert.equal(options.scaling.seconds, 3);
    assert.equal(options.scaling.keysMax, 1_000_000);
    assert.equal(options.name, 'scaling');
  });

  it('--scenario scaling takes some of the curves, and their points in order', () => {
    const options = parsed(['--scenario=scaling', '--curves=nodes,keys', '--keys-max=10000', '--connections=64,4']);
    assert.deepEqual(options.scaling?.curves, ['nodes', 'keys']);
    assert.deepEqual(options.scaling.connections, [4, 64]);
    assert.equal(options.scaling.keysMax, 10_000);
  });

  it('without its name there is no scaling', () => {
    assert.equal(parsed(['--scenario=put-leader,keys']).scaling, undefined);
    assert.equal(parsed([]).scaling, undefined);
  });

  for (const args of [
    ['--scenario=scaling', '--curves=bytes'],
    ['--scenario=scaling', '--keys-max=999'],
    ['--scenario=scaling', '--protocol=grpc'],
    ['--scenario=nonsense'],
    ['--seconds=0'],
    ['--runs=1.5'],
    ['--goals', '--no-etcd'],
    ['--goals', '--scenario=stale-get-follower'],
    ['--goals', '--connections=3'],
    ['--keys=many'],
    ['--watchers=0'],
    ['--kills=0'],
    ['--connections=1,x'],
    ['--fast'],
    ['now'],
  ]) {
    it(`${args.join(' ')} is refused`, () => assert.throws(() => parseOptions(args), UsageError));
  }
});

function rows(args: readonly string[]): string[] {
  return plannedRows(parsed(args)).map(({ scenario, outstanding }) => `${scenario.name} ${outstanding}`);
}

function parsed(args: readonly string[]): BenchOptions {
  const options = parseOptions(args);
  assert.ok(options !== 'help');
  return options;
}
