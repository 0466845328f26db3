import { BalsaError } from '../../../contract/errors.ts';
import { leaseTtlMaxSeconds } from '../../../contract/lease.ts';
import { checkLeader, type EtcdOptions, type Headers } from '../etcd-options.ts';
import { type Call, type Service, type StreamCall, type StreamMethod, unary } from '../method.ts';
import type { Init } from '../proto/message-type.ts';
import * as messages from '../proto/messages/lease.ts';
import { etcdErrors } from '../status.ts';
import { Drain } from './drain.ts';

/** `etcdserverpb.Lease`. */
export function leaseService({ leases, cluster }: EtcdOptions, headers: Headers): Service {
  async function grant(
    { id, ttl }: messages.LeaseGrantRequest,
    call: Call,
  ): Promise<Init<messages.LeaseGrantResponse>> {
    checkLeader(call, cluster);
    if (ttl > BigInt(leaseTtlMaxSeconds)) throw etcdErrors.leaseTtlTooLarge();
    if (id < 0n) throw etcdErrors.leaseNotFound();
    // Whatever is too short becomes the shortest that can be kept.
    const seconds = Math.max(1, Number(ttl));
    const answer = await leases.grant({ id: id === 0n ? undefined : id, ttl: seconds }, { timeoutMs: call.timeoutMs });
    return { header: headers.of(answer.header), id: answer.id, ttl: answer.ttl };
  }

  async function revoke({ id }: messages.LeaseRevokeRequest, call: Call): Promise<Init<messages.LeaseRevokeResponse>> {
    checkLeader(call, cluster);
    if (id <= 0n) throw etcdErrors.leaseNotFound();
    const { header } = await leases.revoke(id, { timeoutMs: call.timeoutMs });
    return { header: headers.of(header) };
  }

  /** A lease that is not there has no time left: that is how etcd says so. */
  async function renew(id: bigint, call: Call): Promise<Init<messages.LeaseKeepAliveResponse>> {
    const header = headers.now();
    if (id <= 0n) return { header, id, ttl: 0 };
    const { timeoutMs } = call;
    const ttl = await leases.keepAlive(id, { timeoutMs }).then((answer) => answer.ttl, zeroIfGone);
    return { header, id, ttl };
  }

  async function timeToLive(
    { id, keys: withKeys }: messages.LeaseTimeToLiveRequest,
    call: Call,
  ): Promise<Init<messages.LeaseTimeToLiveResponse>> {
    checkLeader(call, cluster);
    const { timeoutMs, signal } = call;
    const gone = () => ({ header: headers.now(), id, ttl: -1 });
    if (id <= 0n) return gone();
    try {
      const { header, ttl, grantedTtl, keys } = await leases.timeToLive(id, { timeoutMs, signal, keys: withKeys });
      return { header: headers.of(header), id, ttl, grantedTtl, keys };
    } catch (reason) {
      if (reason instanceof BalsaError && reason.code === 'lease_not_found') return gone();
      throw reason;
    }
  }

  async function list(_: messages.LeaseLeasesRequest, call: Call): Promise<Init<messages.LeaseLeasesResponse>> {
    checkLeader(call, cluster);
    const { timeoutMs } = call;
    const { header, ids } = await leases.list({ timeoutMs, consistency: { level: 'linearizable' } });
    return { header: headers.of(header), leases: ids.map((id) => ({ id })) };
  }

  const keepAlive: StreamMethod<messages.LeaseKeepAliveRequest, messages.LeaseKeepAliveResponse> = {
    kind: 'stream',
    name: 'LeaseKeepAlive',
    paths: ['lease/keepalive'],
    request: messages.LeaseKeepAliveRequest,
    response: messages.LeaseKeepAliveResponse,
    requests: 'many',
    open: (call: StreamCall<messages.LeaseKeepAliveResponse>) => {
      const drain = new Drain(call);
      return {
        async onRequest({ id }) {
          checkLeader(call, cluster);
          if (call.send(await renew(id, call))) return;
          // A client that asks and does not read is given no further answers, and read no further questions.
          await drain.wait();
        },
        onEnd: () => call.end(),
        onClose: () => drain.close(),
      };
    },
  };

  const { LeaseGrantRequest, LeaseGrantResponse, LeaseRevokeRequest, LeaseRevokeResponse } = messages;
  const { LeaseTimeToLiveRequest, LeaseTimeToLiveResponse, LeaseLeasesRequest, LeaseLeasesResponse } = messages;
  return {
    name: 'etcdserverpb.Lease',
    methods: [
      unary('LeaseGrant', ['lease/grant'], LeaseGrantRequest, LeaseGrantResponse, grant),
      unary('LeaseRevoke', ['lease/revoke', 'kv/lease/revoke'], LeaseRevokeRequest, LeaseRevokeResponse, revoke),
      keepAlive,
      unary(
        'LeaseTimeToLive',
        ['lease/timetolive', 'kv/lease/timetolive'],
        LeaseTimeToLiveRequest,
        LeaseTimeToLiveResponse,
        timeToLive,
      ),
      unary('LeaseLeases', ['lease/leases', 'kv/lease/leases'], LeaseLeasesRequest, LeaseLeasesResponse, list),
    ],
  };
}

function zeroIfGone(reason: unknown): 0 {
  if (reason instanceof BalsaError && reason.code === 'lease_not_found') return 0;
  throw reason;
}
