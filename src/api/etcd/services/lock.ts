import type { EtcdOptions, Headers } from '../etcd-options.ts';
import { type Call, type Service, unary } from '../method.ts';
import { HeaderResponse } from '../proto/messages/empty.ts';
import * as messages from '../proto/messages/lock.ts';
import { EtcdError, etcdErrors } from '../status.ts';
import { TurnQueue } from './turn-queue.ts';

/**
 * `v3lockpb.Lock`. A lock alone excludes nobody: its holder may have lost it without having heard of it. What it protects has to compare
 * the create revision of the lock's key, which grows with each holder, in the transaction that it writes in.
 */
export function lockService(options: EtcdOptions, headers: Headers): Service {
  const queue = new TurnQueue(options);

  async function lock({ name, lease }: messages.LockRequest, call: Call) {
    const { header, key } = await queue.take(name, lease, nothing, call);
    return { header: headers.of(header), key };
  }

  async function unlock({ key }: messages.UnlockRequest, { timeoutMs }: Call) {
    // Without a code of its own, as etcd.
    if (key.length === 0) throw new EtcdError('UNKNOWN', etcdErrors.emptyKey().message);
    const { header } = await options.kv.delete({ key, condition: undefined, previous: false }, { timeoutMs });
    return { header: headers.of(header) };
  }

  return {
    name: 'v3lockpb.Lock',
    methods: [
      unary('Lock', ['lock/lock'], messages.LockRequest, messages.LockResponse, lock),
      unary('Unlock', ['lock/unlock'], messages.UnlockRequest, HeaderResponse, unlock),
    ],
  };
}

const nothing = new Uint8Array();
