import type { z } from 'zod';
import {
  count,
  duration,
  type InitialMember,
  initialCluster,
  memberName,
  text,
  urls,
  urlsOrNone,
  word,
} from './option-values.ts';

export type { InitialMember } from './option-values.ts';

const logLevels = ['debug', 'info', 'warn', 'error', 'panic', 'fatal'] as const;
const logFormats = ['auto', 'json', 'pretty'] as const;

export type LogLevel = (typeof logLevels)[number];
export type LogFormat = (typeof logFormats)[number];

/** Everything a member is started with. Made by `resolveConfig` or `loadConfig` only, so that it is always checked. */
export interface Config {
  /** Names this member within its cluster; stands in `initialCluster`. */
  readonly name: string;
  /** Absolute path. Belongs to one member of one cluster for ever. */
  readonly dataDir: string;
  /** `http://host:port`; the host is an IP address or `localhost`, port 0 takes a free one. */
  readonly listenClientUrls: readonly string[];
  /** What clients are told. Where it is derived from a listen URL with port 0, it has port 0 as well. */
  readonly advertiseClientUrls: readonly string[];
  readonly listenPeerUrls: readonly string[];
  /** How the other members reach this one. The member's identity is derived from it when the cluster begins. */
  readonly initialAdvertisePeerUrls: readonly string[];
  /** The voters of a new cluster, sorted by name. A member that has data goes by its data instead. */
  readonly initialCluster: readonly InitialMember[];
  /** `existing`: to take a place in a running cluster that was made with `balsa member add`. See `join`, too. */
  readonly initialClusterState: 'new' | 'existing';
  /** Client URLs of a running cluster that this member asks to be added to, unless it is in it; empty: it does not. */
  readonly join: readonly string[];
  /** Part of the cluster's identity: members of clusters with different tokens refuse each other. */
  readonly initialClusterToken: string;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  /** The largest value of a key. */
  readonly maxRequestBytes: number;
  /** The most that keys, values and their history may take; 0: no limit. That of the leader counts. */
  readonly quotaBackendBytes: number;
  readonly autoCompactionMode: 'periodic' | 'revision';
  /** Hours or a duration for `periodic`, a number of revisions for `revision`; `0`: nothing is compacted by itself. */
  readonly autoCompactionRetention: string;
  /** `avoid`: it leads only while no other voter that does not mind could. */
  readonly leadership: 'normal' | 'avoid';
  /** Entries of the log that are kept behind what the store has on disk. */
  readonly snapshotCount: number;
  /** How often the members' states are compared; 0: never. */
  readonly corruptCheckTimeMs: number;
  /** How often a watcher of etcd's API that asked for it is told how far it has been told everything. */
  readonly watchProgressNotifyMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

export type OptionName = keyof Config;

/** One option, wherever it is written: `--flag`, `BALSA_FLAG`, `ETCD_FLAG`, and `flag:` in a file. */
export interface Option<Value> {
  /** etcd's name where etcd has the option. */
  readonly flag: string;
  readonly group: 'Member' | 'New cluster' | 'Timing and limits' | 'Logging';
  /** What stands for the value in help texts. */
  readonly valueName: string;
  /** One sentence, without a full stop. */
  readonly help: string;
  readonly schema: z.ZodType<Value>;
  /** Undefined where it follows from other options, as `defaultText` then says and `resolveConfig` does. */
  readonly default: Value | undefined;
  readonly defaultText: string;
}

/** The one table of options: the command line, the environment, the file, the help and the checks are made from it. */
export const options = {
  name: {
    flag: 'name',
    group: 'Member',
    valueName: 'NAME',
    help: 'Name of this member, unique in its cluster',
    schema: memberName(),
    default: 'default',
    defaultText: 'default',
  },
  dataDir: {
    flag: 'data-dir',
    group: 'Member',
    valueName: 'DIRECTORY',
    help: 'Where this member keeps its data; made if it is not there',
    schema: text('the path of a directory'),
    default: undefined,
    defaultText: './balsa-data, or ./balsa-data-NAME with a --name',
  },
  listenClientUrls: {
    flag: 'listen-client-urls',
    group: 'Member',
    valueName: 'URLS',
    help: 'Where to take requests of clients; IP addresses or localhost, separated by commas',
    schema: urls('listen'),
    default: ['http://localhost:2379'],
    defaultText: 'http://localhost:2379',
  },
  advertiseClientUrls: {
    flag: 'advertise-client-urls',
    group: 'Member',
    valueName: 'URLS',
    help: 'How clients reach this member; shown in the list of members',
    schema: urls('advertise'),
    default: undefined,
    defaultText: 'the listen-client-urls, with localhost for a wildcard address',
  },
  listenPeerUrls: {
    flag: 'listen-peer-urls',
    group: 'Member',
    valueName: 'URLS',
    help: 'Where to take connections of other members; IP addresses or localhost',
    schema: urls('listen'),
    default: ['http://localhost:2380'],
    defaultText: 'http://localhost:2380',
  },
  initialAdvertisePeerUrls: {
    flag: 'initial-advertise-peer-urls',
    group: 'New cluster',
    valueName: 'URLS',
    help: 'How the other members reach this one; must agree with initial-cluster',
    schema: urls('advertise'),
    default: undefined,
    defaultText: "this member's URLs in initial-cluster, else the listen-peer-urls",
  },
  initialCluster: {
    flag: 'initial-cluster',
    group: 'New cluster',
    valueName: 'NAME=URL,…',
    help: 'All members of a new cluster, the same on each; a member that has data goes by its data',
    schema: initialCluster(),
    default: undefined,
    defaultText: 'this member alone',
  },
  initialClusterState: {
    flag: 'initial-cluster-state',
    group: 'New cluster',
    valueName: 'STATE',
    help: '"new", or "existing" to join a running cluster that this member was added to; means nothing beside data',
    schema: word(['new', 'existing']),
    default: 'new',
    defaultText: 'new',
  },
  join: {
    flag: 'join',
    group: 'Member',
    valueName: 'URLS',
    help: 'Join a running cluster: client URLs of any of its members; be added, catch up, and vote',
    schema: urlsOrNone('advertise'),
    default: [],
    defaultText: 'none',
  },
  initialClusterToken: {
    flag: 'initial-cluster-token',
    group: 'New cluster',
    valueName: 'TOKEN',
    help: 'Tells clusters apart that were begun with the same addresses; the same on each member',
    schema: text('a text'),
    default: 'balsa-cluster',
    defaultText: 'balsa-cluster',
  },
  heartbeatIntervalMs: {
    flag: 'heartbeat-interval',
    group: 'Timing and limits',
    valueName: 'MS',
    help: 'Milliseconds between heartbeats of the leader; about the round trip between members',
    schema: count({ min: 1, max: 10_000, unit: 'milliseconds' }),
    default: 100,
    defaultText: '100',
  },
  electionTimeoutMs: {
    flag: 'election-timeout',
    group: 'Timing and limits',
    valueName: 'MS',
    help: 'Milliseconds without a leader before an election; at least 5 heartbeat intervals, the same on each member',
    schema: count({ min: 5, max: 50_000, unit: 'milliseconds' }),
    default: 1000,
    defaultText: '1000',
  },
  maxRequestBytes: {
    flag: 'max-request-bytes',
    group: 'Timing and limits',
    valueName: 'BYTES',
    help: 'Size of the largest value; the same on each member',
    // A value is one log entry, held whole in memory by every member while it is replicated.
    schema: count({ min: 1, max: 64 * 1024 * 1024, unit: 'bytes' }),
    default: 1_572_864,
    defaultText: '1572864 (1.5 MiB)',
  },
  quotaBackendBytes: {
    flag: 'quota-backend-bytes',
    group: 'Timing and limits',
    valueName: 'BYTES',
    help: 'The most that keys, values and their history may take; then only deletes are accepted; 0: no limit',
    schema: count({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'bytes' }),
    default: 0,
    defaultText: '0',
  },
  autoCompactionMode: {
    flag: 'auto-compaction-mode',
    group: 'Timing and limits',
    valueName: 'MODE',
    help: 'What auto-compaction-retention means: periodic, a time; revision, a number of revisions',
    schema: word(['periodic', 'revision']),
    default: 'periodic',
    defaultText: 'periodic',
  },
  autoCompactionRetention: {
    flag: 'auto-compaction-retention',
    group: 'Timing and limits',
    valueName: 'RETENTION',
    help: 'How much history is kept: 10h or 30m (a number alone: hours), or a number of revisions; 0: all of it',
    schema: text('a time such as 10h, or a number of revisions'),
    default: '0',
    defaultText: '0',
  },
  leadership: {
    flag: 'leadership',
    group: 'Member',
    valueName: 'HOW',
    help: 'normal, or avoid: it leads only while no other voter that does not mind could',
    schema: word(['normal', 'avoid']),
    default: 'normal',
    defaultText: 'normal',
  },
  snapshotCount: {
    flag: 'snapshot-count',
    group: 'Timing and limits',
    valueName: 'ENTRIES',
    help: 'Log entries kept for members that were away; who needs older ones gets a snapshot',
    schema: count({ min: 1, max: 10_000_000, unit: 'entries' }),
    default: 10_000,
    defaultText: '10000',
  },
  corruptCheckTimeMs: {
    flag: 'corrupt-check-time',
    group: 'Timing and limits',
    valueName: 'TIME',
    help: 'How often the states of the members are compared; 0: never',
    schema: duration({ maxMs: 30 * 86_400_000 }),
    default: 60_000,
    defaultText: '1m',
  },
  watchProgressNotifyMs: {
    flag: 'watch-progress-notify-interval',
    group: 'Timing and limits',
    valueName: 'TIME',
    help: "How often watches of etcd's API that ask for it are told of progress while nothing happens",
    // Etcd's least (`embed/config.go`).
    schema: duration({ minMs: 100, maxMs: 24 * 3_600_000 }),
    default: 600_000,
    defaultText: '10m',
  },
  logLevel: {
    flag: 'log-level',
    group: 'Logging',
    valueName: 'LEVEL',
    help: `Least level that is logged: ${logLevels.join(', ')}`,
    schema: word(logLevels, { warning: 'warn', dpanic: 'panic' }),
    default: 'info',
    defaultText: 'info',
  },
  logFormat: {
    flag: 'log-format',
    group: 'Logging',
    valueName: 'FORMAT',
    help: 'json, pretty (for people), or auto: pretty if standard output is a terminal',
    schema: word(logFormats, { console: 'pretty' }),
    default: 'auto',
    defaultText: 'auto',
  },
} as const satisfies { readonly [Name in OptionName]: Option<Config[Name]> };

/** Names a file with any of the options; itself a flag and a variable only. */
export const configFile = {
  flag: 'config-file',
  valueName: 'FILE',
  help: 'YAML or JSON file with any of these options as keys; flags and environment variables go before it',
} as const;

/** The option of a flag or file key. Up to etcd 3.5 some of them begin with `experimental-`. */
export function optionOfFlag(flag: string): OptionName | undefined {
  return flagIndex.get(flag.replace(/^experimental-/, ''));
}

/** `data-dir` → `BALSA_DATA_DIR`. With `ETCD` the alias, for environments made for etcd. */
export function variableOf(flag: string, prefix: 'BALSA' | 'ETCD' = 'BALSA'): string {
  return `${prefix}_${flag.replaceAll('-', '_').toUpperCase()}`;
}

/** `BALSA_DATA_DIR` → `data-dir`, whether there is such a flag or not; undefined for variables of others. */
export function flagOfVariable(variable: string): string | undefined {
  const match = /^(?:BALSA|ETCD)_([A-Z0-9_]+)$/.exec(variable);
  return match?.[1]?.replaceAll('_', '-').toLowerCase();
}

const flagIndex: ReadonlyMap<string, OptionName> = new Map(
  (Object.keys(options) as OptionName[]).map((name) => [options[name].flag, name]),
);
