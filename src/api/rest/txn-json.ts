import type { KeyValue } from '../../contract/kv.ts';
import type { TxnAnswer, TxnOperation, TxnRequest, TxnResult } from '../../contract/txn.ts';
import { type Encoding, keyValueJson } from './key-value-json.ts';

/** `{"succeeded","revision","results":[…]}`, as JSON text. The request says how each result is to be written. */
export function txnJson(request: TxnRequest, answer: TxnAnswer, encoding: Encoding): string {
  const { succeeded, results, header } = answer;
  const done = resultsJson(branchOf(request, succeeded), results, encoding);
  return `{"succeeded":${succeeded},"revision":${header.revision},"results":${done}}`;
}

function branchOf({ success, failure }: TxnRequest, succeeded: boolean): readonly TxnOperation[] {
  return succeeded ? success : failure;
}

function resultsJson(operations: readonly TxnOperation[], results: readonly TxnResult[], encoding: Encoding): string {
  return `[${results.map((result, i) => resultJson(operations[i], result, encoding)).join(',')}]`;
}

function resultJson(operation: TxnOperation | undefined, result: TxnResult, encoding: Encoding): string {
  switch (result.kind) {
    case 'put': {
      const { created, createRevision, version, previous } = result;
      const prevKv = previous === undefined ? '' : `,"prevKv":${keyValueJson(previous, whole(encoding))}`;
      return `{"put":{"created":${created},"createRevision":${createRevision},"version":${version}${prevKv}}}`;
    }
    case 'range': {
      const { kvs, count, more } = result;
      const keysOnly = operation?.kind === 'range' && operation.keysOnly;
      return `{"get":{"kvs":${keyValuesJson(kvs, encoding, keysOnly)},"count":${count},"more":${more}}}`;
    }
    case 'delete': {
      const isAsked = operation?.kind === 'delete' && operation.previous === true;
      const prevKvs = isAsked ? `,"prevKvs":${keyValuesJson(result.previous, encoding, false)}` : '';
      return `{"delete":{"deleted":${result.deleted}${prevKvs}}}`;
    }
    case 'txn': {
      const { succeeded, results } = result;
      const operations = operation?.kind === 'txn' ? branchOf(operation.txn, succeeded) : [];
      return `{"txn":{"succeeded":${succeeded},"results":${resultsJson(operations, results, encoding)}}}`;
    }
  }
}

function keyValuesJson(kvs: readonly KeyValue[], encoding: Encoding, keysOnly: boolean): string {
  return `[${kvs.map((kv) => keyValueJson(kv, { encoding, keysOnly })).join(',')}]`;
}

function whole(encoding: Encoding): { readonly encoding: Encoding; readonly keysOnly: boolean } {
  return { encoding, keysOnly: false };
}
