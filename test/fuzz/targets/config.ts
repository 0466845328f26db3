import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '../../../src/base/random.ts';
import { normalizeEtcdArguments } from '../../../src/cli/etcd-arguments.ts';
import { CommandError } from '../../../src/cli/exit-codes.ts';
import { foundingIdentity } from '../../../src/server/cluster-identity.ts';
import { type Config, ConfigError, resolveConfig } from '../../../src/server/config.ts';
import { loadConfig } from '../../../src/server/load-config.ts';
import { options, variableOf } from '../../../src/server/options.ts';
import { interestingNumbers, mutate, oddTexts, oneIn, pick, randomBytes, randomLength } from '../engine/mutate.ts';
import { smallerBytes, smallerJson } from '../engine/smaller.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';

export const configTarget: Target = {
  name: 'config',
  about: 'flags, environment, YAML and JSON files, programs → the configuration',
  weight: 1,
  where: 'here',
  smaller: (input) => (input.kind === 'file' ? smallerBytes(input) : smallerJson(input)),
  open,
};

const flags: readonly string[] = Object.values(options).map((option) => option.flag);

async function open(): Promise<OpenTarget> {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-fuzz-'));
  const path = join(directory, 'balsa.yaml');
  return {
    // The YAML parser makes a node of each character if it has to; the file is the operator's own.
    allocationBytesMin: 64 * 1024 * 1024,

    make(random) {
      const kind = pick(random, ['flags', 'environment', 'file', 'file', 'program'] as const);
      return { kind, bytes: Buffer.from(contentOf(kind, random)) };
    },

    run({ kind, bytes }: Input) {
      const config = refusable(() => {
        if (kind === 'file') {
          writeFileSync(path, bytes);
          return loadConfig({ flags: { 'config-file': path }, environment: {} }).config;
        }
        const given: unknown = JSON.parse(bytes.toString());
        if (kind === 'flags') return fromArguments(given);
        if (kind === 'environment') return loadConfig({ flags: {}, environment: textsOf(given) }).config;
        return resolveConfig(given as Partial<Config>);
      });
      if (config === undefined) return;
      // What is accepted can be used, and accepted again.
      foundingIdentity(config);
      assert.deepEqual(resolveConfig(config), config, 'a configuration is another one once it is read again');
    },

    close: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** As the command line takes them. */
function fromArguments(given: unknown): Config {
  const normal = normalizeEtcdArguments(Array.isArray(given) ? given.map(String) : []);
  const pairs = normal.map((argument) => /^--([^=]*)=?(.*)$/s.exec(argument)?.slice(1) ?? []);
  // Without the file: that is another kind of input.
  const own = pairs.filter(([name]) => name !== 'config-file' && name !== 'help' && name !== 'h' && name !== 'version');
  return loadConfig({ flags: Object.fromEntries(own), environment: {} }).config;
}

function textsOf(given: unknown): Record<string, string> {
  const entries = Object.entries(typeof given === 'object' && given !== null ? given : {});
  return Object.fromEntries(entries.filter(([name]) => !name.endsWith('_CONFIG_FILE')).map(([k, v]) => [k, String(v)]));
}

/** Undefined where it is refused as documented: with one line. */
function refusable(read: () => Config): Config | undefined {
  try {
    return read();
  } catch (reason) {
    const isDocumented = reason instanceof ConfigError || reason instanceof CommandError;
    if (!isDocumented) throw reason;
    assert.ok(!/[\n\r]/.test(reason.message), `a refusal of several lines: ${reason.message}`);
    assert.ok(reason.message.length < 100_000, `a refusal of ${reason.message.length} characters`);
    return undefined;
  }
}

function contentOf(kind: 'flags' | 'environment' | 'file' | 'program', random: Random): string | Buffer {
  switch (kind) {
    case 'flags': {
      const given = settings(random).flatMap(([flag, value]) => {
        const dashes = pick(random, ['--', '--', '-', '', '---']);
        return oneIn(random, 2) ? [`${dashes}${flag}=${textOf(value)}`] : [`${dashes}${flag}`, textOf(value)];
      });
      return JSON.stringify(given);
    }
    case 'environment':
      return JSON.stringify(
        Object.fromEntries(
          settings(random).map(([flag, value]) => [variableOf(flag, pick(random, ['BALSA', 'ETCD'])), textOf(value)]),
        ),
      );
    case 'program':
      return JSON.stringify(
        Object.fromEntries(
          settings(random).map(([flag, value]) => [
            flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
            value,
          ]),
        ),
      );
    case 'file':
      return fileOf(random);
  }
}

function fileOf(random: Random): Buffer {
  const pairs = settings(random);
  const text = oneIn(random, 3)
    ? JSON.stringify(Object.fromEntries(pairs), undefined, oneIn(random, 2) ? 2 : 0)
    : pairs.map(([flag, value]) => `${flag}: ${JSON.stringify(value)}\n`).join('');
  const odd = pick(random, oddYaml)(random);
  if (oneIn(random, 6)) return Buffer.from(odd);
  if (oneIn(random, 2)) return Buffer.from(text);
  return mutate(random, Buffer.from(text), Buffer.from(odd), 20_000);
}

/** What YAML can do that an option file never needs. */
const oddYaml: readonly ((random: Random) => string)[] = [
  (random) => '['.repeat(randomLength(random, 20_000)),
  (random) => '- '.repeat(randomLength(random, 20_000)),
  (random) => `name: ${'{a: '.repeat(randomLength(random, 10_000))}`,
  (random) => `name: ${'&a '.repeat(1 + random.below(3))}x\nlog-level: *a\n`,
  () => `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nname: *c\n`,
  () => 'name: &n [*n]\n',
  () => '<<: {name: a}\n<<: [{name: b}]\n',
  () => 'name: !!binary /w==\n',
  () => 'name: !!js/function "x"\n',
  () => 'name: !!set {a, b}\ninitial-cluster: !!omap [a: b]\n',
  () => 'name: 2001-01-01\nheartbeat-interval: 0x10\nelection-timeout: 1_000\n',
  () => '? [a, b]\n: c\n? {d: e}\n: f\n',
  () => 'name: |\n  a\n  b\n',
  () => '%YAML 1.1\n---\nname: yes\n---\nname: no\n',
  () => '"__proto__": {"name": "a"}\n"constructor": 1\n',
  (random) => `name: "${'\\u0000'.repeat(random.below(5))}"\n`,
  (random) => `initial-cluster: ${'a=http://h:1,'.repeat(randomLength(random, 1000))}\n`,
  (random) => `${'#'.repeat(randomLength(random, 5000))}\n${'\t'.repeat(random.below(50))}name: a\n`,
  (random) => `${randomBytes(random, 10).toString('hex')}: a\n`.repeat(1 + randomLength(random, 300)),
];

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function settings(random: Random): [flag: string, value: unknown][] {
  return Array.from({ length: 1 + random.below(5) }, (): [string, unknown] => {
    const flag = oneIn(random, 12) ? damaged(random, pick(random, flags)) : pick(random, flags);
    return [flag, oneIn(random, 4) ? oddValue(random) : settingOf(random, flag)];
  });
}

function settingOf(random: Random, flag: string): unknown {
  const text = usualValueOf(random, flag);
  return oneIn(random, 5) && typeof text === 'string' ? damaged(random, text) : text;
}

function usualValueOf(random: Random, flag: string): unknown {
  if (flag === 'initial-cluster') {
    return pick<unknown>(random, [
      'default=http://localhost:2380',
      `default=http://localhost:2380,b=${url(random)}`,
      { default: 'http://localhost:2380', b: [url(random)] },
      [{ name: 'default', peerUrls: [url(random), url(random)] }],
    ]);
  }
  if (flag.endsWith('-urls'))
    return pick<unknown>(random, [url(random), `${url(random)},${url(random)}`, [url(random)]]);
  if (flag === 'initial-cluster-state') return pick(random, ['new', 'existing']);
  if (flag === 'log-level') return pick(random, ['debug', 'info', 'warn', 'dpanic']);
  if (flag === 'log-format') return pick(random, ['auto', 'json', 'console']);
  if (/interval|timeout|bytes/.test(flag))
    return pick<unknown>(random, ['100', 100, '5000', pick(random, interestingNumbers)]);
  return pick(random, ['default', 'a', 'node1', 'ü']);
}

function url(random: Random): string {
  const scheme = pick(random, ['http', 'http', 'http', 'https', 'unix', 'HTTP', '']);
  const host = pick(random, [
    'localhost',
    '127.0.0.1',
    '0.0.0.0',
    '[::1]',
    '[::]',
    'host1',
    'ümlaut',
    '1',
    '0x7f.1',
    'a@b',
    '',
  ]);
  const port = pick(random, ['2379', '2380', '0', '65535', '65536', '', '-1', '80', '00080', '1e3']);
  return `${scheme}://${host}:${port}${pick(random, ['', '', '', '/', '/path', '?q', '#f'])}`;
}

function oddValue(random: Random): unknown {
  return pick<unknown>(random, [
    null,
    true,
    [],
    {},
    [[]],
    { __proto__: null, toString: 1 },
    ...oddTexts,
    ...interestingNumbers,
    'v'.repeat(randomLength(random, 20_000)),
    Array.from({ length: randomLength(random, 300) }, () => url(random)),
    ','.repeat(randomLength(random, 2000)),
  ]);
}

function damaged(random: Random, text: string): string {
  return mutate(random, Buffer.from(text), Buffer.from(pick(random, oddTexts)), 5000).toString();
}
