/** What a data directory holds, as its node tells it over REST: in words that every version understands. */
export interface Observed {
  readonly clusterId: string;
  readonly memberId: string;
  readonly revision: number;
  /** Every key, with its value (base64), revisions, version and lease. */
  readonly present: unknown;
  /** The same at `pastRevision`. */
  readonly past: unknown;
  /** The status of a read below what is compacted. */
  readonly compacted: number;
  /** The keys of the lease, and what it was granted for. */
  readonly lease: unknown;
  /** What the node answers to a write that it has already done, sent again with its token. */
  readonly repeated: unknown;
}

/** Written by `write.ts`; what a test has to ask for. */
export interface Golden {
  readonly lease: string;
  readonly pastRevision: number;
  readonly compactedRevision: number;
  readonly observed: Observed;
}

export const repeatedWrite = {
  path: '/v1/kv/repeated',
  init: { method: 'PUT', body: 'once', headers: { 'idempotency-key': 'golden' } },
} as const;

export async function observe(url: string, asked: Omit<Golden, 'observed'>): Promise<Observed> {
  const { lease, pastRevision, compactedRevision } = asked;
  const json = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await fetch(url + path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Readonly<Record<string, unknown>>;
  };
  const keysOf = async (query: string): Promise<unknown> =>
    (await json(`/v1/kv?prefix=&encoding=base64${query}`))['kvs'];
  const status = await json('/v1/status');
  const { grantedTtl, keys } = await json(`/v1/leases/${lease}?keys=true`);
  const repeated = (await (await fetch(url + repeatedWrite.path, repeatedWrite.init)).json()) as object;
  return {
    clusterId: String(status['clusterId']),
    memberId: String(status['memberId']),
    revision: Number(status['revision']),
    present: await keysOf(''),
    past: await keysOf(`&revision=${pastRevision}`),
    compacted: (await fetch(`${url}/v1/kv?prefix=&revision=${compactedRevision}`)).status,
    lease: { grantedTtl, keys },
    repeated,
  };
}
