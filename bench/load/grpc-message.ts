import type { Pair } from '../generator/clients/client.ts';
import { putMessage, rangeMessage, txnOfExisting } from '../generator/clients/etcd-messages.ts';
import { grpcFrame } from '../generator/clients/grpc-frame.ts';
import { keyOf, makeValue, prefixOf, txnKeysOf } from '../keys.ts';
import type { Work } from '../scenarios.ts';

/** The requests to etcd's KV service that h2load sends, each with gRPC's length prefix before it. */
export function putRequest(key: string, value: string): Buffer {
  return grpcFrame(putMessage({ key, value }));
}

export function rangeRequest(key: string, options: { readonly serializable: boolean }): Buffer {
  return grpcFrame(rangeMessage({ text: key, isPrefix: false, serializable: options.serializable }));
}

/** All keys that begin with `prefix`, without a limit. */
export function prefixRequest(prefix: string): Buffer {
  return grpcFrame(rangeMessage({ text: prefix, isPrefix: true }));
}

/** Puts all pairs if all keys exist. */
export function txnRequest(pairs: readonly Pair[]): Buffer {
  return grpcFrame(txnOfExisting(pairs));
}

/** Requests that differ in the digits of their keys alone, so that one can be written over another. */
export function requestsOf(work: Work, seed: number): (index: number) => Buffer {
  switch (work) {
    case 'put': {
      const value = makeValue(seed);
      return (index) => putRequest(keyOf(index), value);
    }
    case 'get':
      return (index) => rangeRequest(keyOf(index), { serializable: false });
    case 'stale-get':
      return (index) => rangeRequest(keyOf(index), { serializable: true });
    case 'txn': {
      const values = [0, 1, 2].map((n) => makeValue(3 * seed + n));
      return (index) => txnRequest(txnKeysOf(index).map((key, n) => ({ key, value: values[n] ?? '' })));
    }
    case 'prefix':
      return (index) => prefixRequest(prefixOf(index));
  }
}
