import { putMessage, rangeMessage } from '../generator/clients/etcd-messages.ts';
import { grpcFrame } from '../generator/clients/grpc-frame.ts';

/** The two requests to etcd's KV service that h2load sends, each with gRPC's length prefix before it. */
export function putRequest(key: string, value: string): Buffer {
  return grpcFrame(putMessage({ key, value }));
}

export function rangeRequest(key: string, options: { readonly serializable: boolean }): Buffer {
  return grpcFrame(rangeMessage({ text: key, isPrefix: false, serializable: options.serializable }));
}
