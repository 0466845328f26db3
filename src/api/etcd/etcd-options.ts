import type { AnswerHeader } from '../../contract/kv.ts';
import type {
  BackupService,
  ClusterService,
  KvService,
  LeaseService,
  MembershipService,
  WatchService,
} from '../../replica/service.ts';
import type { Call } from './method.ts';
import type { Init } from './proto/message-type.ts';
import type { ResponseHeader } from './proto/messages/header.ts';
import { etcdErrors } from './status.ts';

/** What etcd's API is made of. */
export interface EtcdOptions {
  readonly kv: KvService;
  readonly watch: WatchService;
  readonly leases: LeaseService;
  readonly cluster: ClusterService;
  readonly membership: MembershipService;
  readonly backup: BackupService;
  /** Bytes of one request (`--max-request-bytes`). */
  readonly requestBytesMax: number;
  /** How often a watcher that asked for it is told of progress. */
  readonly progressNotifyMs: number;
}

/** Ids are 64 bits in hexadecimal; etcd's messages have them as numbers. */
export function idNumber(id: string): bigint {
  return BigInt(`0x${id}`);
}

/** Makes the header of every answer. The ids never change while a member runs. */
export class Headers {
  readonly #kv: KvService;
  readonly #clusterId: bigint;
  readonly #memberId: bigint;

  constructor({ kv, cluster }: EtcdOptions) {
    const { clusterId, memberId } = cluster.status();
    this.#kv = kv;
    this.#clusterId = idNumber(clusterId);
    this.#memberId = idNumber(memberId);
  }

  of({ revision, raftTerm }: Pick<AnswerHeader, 'revision' | 'raftTerm'>): Init<ResponseHeader> {
    return { clusterId: this.#clusterId, memberId: this.#memberId, revision, raftTerm };
  }

  /** Of this moment. */
  now(): Init<ResponseHeader> {
    return this.of(this.#kv.header());
  }
}

/** A client that asks for a leader wants to be told at once that there is none (etcd's metadata `hasleader`). */
export function checkLeader(call: Call, cluster: ClusterService): void {
  if (requiresLeader(call) && cluster.status().leader === undefined) throw etcdErrors.noLeader();
}

export function requiresLeader(call: Call): boolean {
  return call.metadata('hasleader') === 'true';
}
