import { resolve } from 'node:path';
import type { AutoCompactionOptions } from '../replica/index.ts';
import { escapeControls } from './escape-controls.ts';
import { parseDuration } from './option-values.ts';
import { type Config, type Option, type OptionName, options } from './options.ts';

export type { Config, InitialMember, LogFormat, LogLevel } from './options.ts';

/** A configuration that cannot be used. The message is one line: where it came from, what is wrong, what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(message: string) {
    super(escapeControls(message));
  }
}

/** A value somebody gave, and where: `--name`, `BALSA_NAME`, `name in balsa.yaml`. */
export interface GivenValue {
  readonly value: unknown;
  readonly origin: string;
}

/** What was given, by the names of `Config`; an option that nobody gave is absent. */
export type GivenValues = { readonly [Name in OptionName]?: GivenValue };

/**
 * Completes and checks what a program passes to `open`; the same rules as for the command line.
 *
 * ```ts
 * const config = resolveConfig({ dataDir: '/var/lib/app/balsa', listenClientUrls: ['http://127.0.0.1:0'] });
 * ```
 *
 * @throws ConfigError naming the first property that cannot be used.
 */
export function resolveConfig(partial: Partial<Config>): Config {
  const given: { -readonly [Name in OptionName]?: GivenValue } = {};
  for (const [name, value] of Object.entries(partial)) {
    if (!isOptionName(name)) throw new ConfigError(`config.${name}: there is no such setting; remove it`);
    if (value !== undefined) given[name] = { value, origin: `config.${name}` };
  }
  return resolveGiven(given);
}

/** As `resolveConfig`, for values that carry their origin. */
export function resolveGiven(given: GivenValues): Config {
  const name = read('name', given) ?? options.name.default;
  const listenClientUrls = read('listenClientUrls', given) ?? options.listenClientUrls.default;
  const listenPeerUrls = read('listenPeerUrls', given) ?? options.listenPeerUrls.default;
  const givenCluster = read('initialCluster', given);
  const ownPeerUrls = givenCluster?.find((member) => member.name === name)?.peerUrls;
  const initialAdvertisePeerUrls = read('initialAdvertisePeerUrls', given) ?? ownPeerUrls ?? reachable(listenPeerUrls);
  const ownDirectory = name === options.name.default ? 'balsa-data' : `balsa-data-${name}`;
  const config: Config = {
    name,
    dataDir: resolve(read('dataDir', given) ?? ownDirectory),
    listenClientUrls,
    advertiseClientUrls: read('advertiseClientUrls', given) ?? reachable(listenClientUrls),
    listenPeerUrls,
    initialAdvertisePeerUrls,
    initialCluster: givenCluster ?? [{ name, peerUrls: initialAdvertisePeerUrls }],
    initialClusterState: read('initialClusterState', given) ?? options.initialClusterState.default,
    join: read('join', given) ?? options.join.default,
    initialClusterToken: read('initialClusterToken', given) ?? options.initialClusterToken.default,
    heartbeatIntervalMs: read('heartbeatIntervalMs', given) ?? options.heartbeatIntervalMs.default,
    electionTimeoutMs: read('electionTimeoutMs', given) ?? options.electionTimeoutMs.default,
    maxRequestBytes: read('maxRequestBytes', given) ?? options.maxRequestBytes.default,
    quotaBackendBytes: read('quotaBackendBytes', given) ?? options.quotaBackendBytes.default,
    autoCompactionMode: read('autoCompactionMode', given) ?? options.autoCompactionMode.default,
    autoCompactionRetention: read('autoCompactionRetention', given) ?? options.autoCompactionRetention.default,
    leadership: read('leadership', given) ?? options.leadership.default,
    snapshotCount: read('snapshotCount', given) ?? options.snapshotCount.default,
    corruptCheckTimeMs: read('corruptCheckTimeMs', given) ?? options.corruptCheckTimeMs.default,
    watchProgressNotifyMs: read('watchProgressNotifyMs', given) ?? options.watchProgressNotifyMs.default,
    logLevel: read('logLevel', given) ?? options.logLevel.default,
    logFormat: read('logFormat', given) ?? options.logFormat.default,
  };
  refuseContradictions(config, (option) => given[option]?.origin ?? `${options[option].flag} (default)`);
  return Object.freeze(config);
}

/** What works and is probably not meant, one sentence each. */
export function adviseOn(config: Config, given: GivenValues): readonly string[] {
  const advice: string[] = [];
  for (const url of config.advertiseClientUrls) {
    if (isWildcard(url))
      advice.push(`clients are told ${url}, which no other machine can reach; set --advertise-client-urls`);
  }
  const listensEverywhere = config.listenClientUrls.some(isWildcard);
  if (listensEverywhere && given.advertiseClientUrls === undefined) {
    advice.push(
      `clients on other machines are told ${config.advertiseClientUrls.join(',')}, which is not this machine there; ` +
        'set --advertise-client-urls if they use it',
    );
  }
  if (config.initialCluster.length % 2 === 0) {
    const members = config.initialCluster.length;
    advice.push(
      `a cluster of ${members} members survives the loss of ${members / 2 - 1}, no more than one of ${members - 1} does; use an odd number`,
    );
  }
  if (config.maxRequestBytes > 10 * 1024 * 1024) {
    advice.push(`max-request-bytes is above 10 MiB: a large value holds up every request behind it in the log`);
  }
  return advice;
}

/** What the two options mean together; undefined if nothing. */
export function autoCompactionOf({
  autoCompactionMode: mode,
  autoCompactionRetention: text,
}: Config): AutoCompactionOptions | undefined {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (number === 0) return { mode: 'off' };
  if (mode === 'revision') return number === undefined ? undefined : { mode, retention: number };
  const retentionMs = number === undefined ? parseDuration(text) : number * 3_600_000;
  return retentionMs === undefined || retentionMs < 1000 ? undefined : { mode, retentionMs };
}

/** The same table, seen as one type per row. */
const table: { readonly [Name in OptionName]: Option<Config[Name]> } = options;

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}

function read<Name extends OptionName>(name: Name, given: GivenValues): Config[Name] | undefined {
  const entry = given[name];
  if (entry === undefined) return undefined;
  const option: Option<Config[Name]> = table[name];
  const parsed = option.schema.safeParse(entry.value);
  if (parsed.success) return parsed.data;
  throw new ConfigError(`${entry.origin}: ${parsed.error.issues[0]?.message ?? 'cannot be used'}`);
}

/** Relations between values, each with its reason. `origin` tells where an option's value came from. */
function refuseContradictions(config: Config, origin: (option: OptionName) => string): void {
  const { heartbeatIntervalMs, electionTimeoutMs, initialCluster } = config;
  if (electionTimeoutMs < 5 * heartbeatIntervalMs) {
    throw new ConfigError(
      `${origin('electionTimeoutMs')}: ${electionTimeoutMs} ms is less than 5 heartbeats of ${heartbeatIntervalMs} ms, ` +
        `so that one late packet would start an election; use at least ${5 * heartbeatIntervalMs}, or a shorter heartbeat-interval`,
    );
  }
  const shared = config.listenClientUrls.find((url) => portOf(url) !== '0' && config.listenPeerUrls.includes(url));
  if (shared !== undefined) {
    throw new ConfigError(
      `${origin('listenPeerUrls')}: ${shared} is in listen-client-urls too, and clients and members cannot share a port; change one of them`,
    );
  }

  if (autoCompactionOf(config) === undefined) {
    const wanted = config.autoCompactionMode === 'periodic' ? 'a time such as 10h or 30m' : 'a number of revisions';
    throw new ConfigError(
      `${origin('autoCompactionRetention')}: "${config.autoCompactionRetention}" is not ${wanted}, which ` +
        `auto-compaction-mode ${config.autoCompactionMode} needs`,
    );
  }

  refusePortZero(config.advertiseClientUrls, config.listenClientUrls, origin('advertiseClientUrls'));
  refusePortZero(config.initialAdvertisePeerUrls, config.listenPeerUrls, origin('initialAdvertisePeerUrls'));

  if (config.join.length > 0 && (initialCluster.length > 1 || config.initialClusterState === 'existing')) {
    throw new ConfigError(
      `${origin('join')}: asks the running cluster who its members are; leave out initial-cluster and initial-cluster-state`,
    );
  }
  const unknown = config.initialAdvertisePeerUrls.find((url) => isWildcard(url) || portOf(url) === '0');
  if (config.join.length > 0 && unknown !== undefined) {
    throw new ConfigError(
      `${origin('initialAdvertisePeerUrls')}: ${unknown} is not an address that the members of a cluster to join can ` +
        'connect to; give a host name or an IP address of this machine, and a port',
    );
  }

  const own = initialCluster.find((member) => member.name === config.name);
  if (own === undefined) {
    throw new ConfigError(
      `${origin('initialCluster')}: has no member named "${config.name}", only ${initialCluster.map((member) => `"${member.name}"`).join(', ')}; ` +
        `add ${config.name}=${config.initialAdvertisePeerUrls[0]}, or set --name to one of them`,
    );
  }
  if (!sameUrls(own.peerUrls, config.initialAdvertisePeerUrls)) {
    throw new ConfigError(
      `${origin('initialCluster')}: says ${config.name}=${own.peerUrls.join(',')}, but initial-advertise-peer-urls is ` +
        `${config.initialAdvertisePeerUrls.join(',')} (${origin('initialAdvertisePeerUrls')}); make them the same, or leave the latter out`,
    );
  }
  if (initialCluster.length === 1) return;
  for (const member of initialCluster) {
    const unreachable = member.peerUrls.find((url) => isWildcard(url) || portOf(url) === '0');
    if (unreachable === undefined) continue;
    throw new ConfigError(
      `${origin('initialCluster')}: ${member.name}=${unreachable} is not an address that other members can connect to; ` +
        'give a host name or an IP address of that machine, and a port',
    );
  }
}

/** Port 0 may be advertised only in place of the port that listening on it will give. */
function refusePortZero(advertised: readonly string[], listened: readonly string[], origin: string): void {
  const derived = reachable(listened);
  const unknown = advertised.find((url) => portOf(url) === '0' && !derived.includes(url));
  if (unknown === undefined) return;
  throw new ConfigError(`${origin}: ${unknown} has port 0, which nobody can connect to; give the real port`);
}

/**
 * A wildcard address can be listened on and not be connected to from elsewhere. Two of them, one for IPv4 and one for
 * IPv6, are reached in the same way.
 */
function reachable(listenUrls: readonly string[]): readonly string[] {
  return [...new Set(listenUrls.map((url) => (isWildcard(url) ? `http://localhost:${portOf(url)}` : url)))];
}

function isWildcard(url: string): boolean {
  return url.startsWith('http://0.0.0.0:') || url.startsWith('http://[::]:');
}

function portOf(url: string): string {
  return url.slice(url.lastIndexOf(':') + 1);
}

function sameUrls(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((url) => other.includes(url));
}
