import type { KeyValue, TxnOutcome, TxnResult } from '../client/index.ts';
import { keyValueJson } from './client-options.ts';
import { printable } from './output.ts';

/** As etcdctl prints it: `SUCCESS` or `FAILURE`, and each result after an empty line. */
export function txnLines({ succeeded, results }: Pick<TxnOutcome, 'succeeded' | 'results'>): string {
  return [succeeded ? 'SUCCESS\n' : 'FAILURE\n', ...results.map(resultLines)].join('\n');
}

/** As `POST /v1/txn` answers it. */
export function txnOutcomeJson({ succeeded, revision, results }: TxnOutcome): Readonly<Record<string, unknown>> {
  return { succeeded, revision, results: results.map(resultJson) };
}

function resultLines(result: TxnResult): string {
  switch (result.kind) {
    case 'put':
      return `OK\n${result.previous === undefined ? '' : keyAndValue(result.previous)}`;
    case 'range':
      // Only the number was asked for, if there are keys and none is shown.
      if (result.kvs.length === 0) return result.count === 0 ? '' : `${result.count}\n`;
      return result.kvs.map(keyAndValue).join('');
    case 'delete':
      return `${result.deleted}\n${result.previous.map(keyAndValue).join('')}`;
    case 'txn':
      return txnLines(result);
  }
}

function keyAndValue({ key, value }: KeyValue): string {
  return `${printable(key)}\n${printable(value)}\n`;
}

function resultJson(result: TxnResult): Readonly<Record<string, unknown>> {
  switch (result.kind) {
    case 'put': {
      const { created, createRevision, version, previous } = result;
      return { put: { created, createRevision, version, ...(previous && { prevKv: keyValueJson(previous) }) } };
    }
    case 'range':
      return { get: { kvs: result.kvs.map((kv) => keyValueJson(kv)), count: result.count, more: result.more } };
    case 'delete': {
      const prevKvs = result.previous.map((kv) => keyValueJson(kv));
      return { delete: { deleted: result.deleted, ...(prevKvs.length > 0 && { prevKvs }) } };
    }
    case 'txn':
      return { txn: { succeeded: result.succeeded, results: result.results.map(resultJson) } };
  }
}
