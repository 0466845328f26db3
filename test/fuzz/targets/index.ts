import type { Target } from '../engine/target.ts';
import { configTarget } from './config.ts';
import { connectionsTarget } from './connections.ts';
import { etcdMessagesTarget } from './etcd-messages.ts';
import { framesTarget } from './frames.ts';
import { grpcTarget } from './grpc.ts';
import { httpTarget } from './http.ts';
import { journalTarget } from './journal.ts';
import { logDirectoryTarget } from './log-directory.ts';
import { peerPortTarget } from './peer-port.ts';
import { peerRequestsTarget } from './peer-requests.ts';
import { raftTarget } from './raft.ts';
import { restTarget } from './rest.ts';
import { stateDirectoryTarget } from './state-directory.ts';
import { storageRecordsTarget } from './storage-records.ts';
import { storeRecordsTarget } from './store-records.ts';

/** In the order in which a peer, a disk and a client meet them. */
export const targets: readonly Target[] = [
  framesTarget,
  connectionsTarget,
  peerPortTarget,
  raftTarget,
  peerRequestsTarget,
  storageRecordsTarget,
  journalTarget,
  logDirectoryTarget,
  stateDirectoryTarget,
  storeRecordsTarget,
  restTarget,
  httpTarget,
  etcdMessagesTarget,
  grpcTarget,
  configTarget,
];

export function targetOf(name: string): Target {
  const target = targets.find((candidate) => candidate.name === name);
  if (target !== undefined) return target;
  throw new Error(`there is no target ${name}; there are ${targets.map((one) => one.name).join(', ')}`);
}
