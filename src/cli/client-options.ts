import type { Argv } from 'yargs';
import { type BalsaClient, connect, formatLeaseId, type KeyValue, type ReadConsistency } from '../client/index.ts';
import { milliseconds } from './argument-values.ts';
import { type OutputFormat, withOutput } from './output.ts';

/** Flags of every command that talks to a cluster. */
export interface ClientArguments {
  readonly endpoints: string;
  readonly timeout: string;
  readonly output: OutputFormat | undefined;
}

export function withClientOptions<T>(program: Argv<T>): Argv<T & ClientArguments> {
  return withOutput(program)
    .option('endpoints', {
      type: 'string',
      requiresArg: true,
      default: process.env['BALSA_ENDPOINTS'] || process.env['ETCDCTL_ENDPOINTS'] || 'http://localhost:2379',
      describe: 'Members to ask, separated by commas (BALSA_ENDPOINTS, ETCDCTL_ENDPOINTS); the next one if one is down',
    })
    .option('timeout', {
      type: 'string',
      requiresArg: true,
      default: '5s',
      describe: 'Time for the whole request: 500ms, 5s, 1m',
    })
    .epilogue(
      'Exit codes: 0 done; 1 failed, and a write certainly did not happen; 3 no such key; 4 the condition does not hold;\n' +
        '5 it is not known whether the write happened. Data goes to standard output, messages to standard error.',
    );
}

export function openClient(given: ClientArguments): BalsaClient {
  // etcdctl takes host:port alone.
  const endpoints = given.endpoints
    .split(',')
    .map((endpoint) => endpoint.trim())
    .filter((endpoint) => endpoint !== '')
    .map((endpoint) => (endpoint.includes('://') ? endpoint : `http://${endpoint}`));
  return connect({ endpoints, timeoutMs: milliseconds('timeout', given.timeout) });
}

export interface ConsistencyArguments {
  readonly consistency: string;
}

export function withConsistency<T>(program: Argv<T>): Argv<T & ConsistencyArguments> {
  return program.option('consistency', {
    type: 'string',
    requiresArg: true,
    default: 'linearizable',
    describe: 'linearizable; stale (what this member has, at once); or a greatest age such as 500ms',
  });
}

export function consistencyOf(given: ConsistencyArguments): ReadConsistency {
  if (given.consistency === 'linearizable' || given.consistency === 'stale') return given.consistency;
  return { maxStalenessMs: milliseconds('consistency', given.consistency) };
}

/** A key-value object as the REST API writes it: text where it is text, base64 where it is not. */
export function keyValueJson(
  kv: KeyValue,
  shape: { readonly keysOnly?: boolean } = {},
): Readonly<Record<string, unknown>> {
  return {
    ...bytesJson('key', kv.key),
    ...(shape.keysOnly === true ? {} : bytesJson('value', kv.value)),
    createRevision: kv.createRevision,
    modRevision: kv.modRevision,
    version: kv.version,
    ...(kv.lease !== undefined && { lease: formatLeaseId(kv.lease) }),
  };
}

export const keyValueHeader = ['KEY', 'VALUE', 'CREATED', 'MODIFIED', 'VERSION'] as const;

/** Text where it is text, base64 under another name where it is not. */
export function bytesJson(name: 'key' | 'value', bytes: Uint8Array): Readonly<Record<string, string>> {
  try {
    return { [name]: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { [`${name}Base64`]: Buffer.from(bytes).toString('base64') };
  }
}
