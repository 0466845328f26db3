import type { EtcdOptions } from './etcd-options.ts';
import { GrpcServer } from './grpc/grpc-server.ts';
import type { Service } from './method.ts';
import { etcdServices } from './services/index.ts';
import type { EtcdError } from './status.ts';

export interface EtcdApiOptions extends EtcdOptions {
  /** The most that a request may take, and what one takes that names no time of its own. */
  readonly timeoutMs: number;
  /** A call failed for a reason of ours: the `cause` has it. */
  readonly onFailure: (error: EtcdError, path: string) => void;
}

/** Etcd's API over one member: its gRPC server, and the services that the JSON gateway serves as well. */
export interface EtcdApi {
  readonly grpc: GrpcServer;
  readonly services: readonly Service[];
}

/** Bytes that etcd's transport takes beyond the largest request. */
const overheadBytes = 512 * 1024;

export function createEtcdApi(options: EtcdApiOptions): EtcdApi {
  const services = etcdServices(options);
  const { timeoutMs, requestBytesMax, onFailure } = options;
  const grpc = new GrpcServer(services, { timeoutMs, messageBytesMax: requestBytesMax + overheadBytes, onFailure });
  return { grpc, services };
}
