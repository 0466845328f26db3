import type { Init } from '../../../src/api/etcd/proto/message-type.ts';
import type { WatchCreateRequest, WatchRequest } from '../../../src/api/etcd/proto/messages/watch.ts';
import { bytes } from './kv-steps.ts';
import { compact, del, put, txn } from './methods.ts';
import type { Step } from './step.ts';

/** What one stream is told: requests on it, and writes beside it. The first one creates watcher 0, unless it says otherwise. */
export interface WatchScript {
  readonly name: string;
  readonly acts: readonly (Step | { readonly watch: Init<WatchRequest> })[];
  /** Balsa means to answer something else. */
  readonly differs?: string;
}

const key = bytes('w/a');
const prefix = { key: bytes('w/'), rangeEnd: bytes('w0') };
const create = (createRequest: Init<WatchCreateRequest>) => ({ watch: { createRequest } });
const cancel = (watchId: number) => ({ watch: { cancelRequest: { watchId } } });
const puts = (...values: string[]) => values.map((value) => put(value, { key, value: bytes(value) }));

/** Each begins on servers that are empty. */
export const watchScripts: readonly WatchScript[] = [
  { name: 'one key from now on', acts: [...puts('before'), create({ key }), ...puts('1', '2')] },
  {
    name: 'a prefix',
    acts: [create(prefix), ...puts('1'), del('it', { key }), put('beside', { key: bytes('x') }), ...puts('2')],
  },
  { name: 'from the past', acts: [...puts('1', '2', '3'), create({ key, startRevision: 2 }), ...puts('4')] },
  { name: 'from the midst of the past', acts: [...puts('1', '2', '3'), create({ key, startRevision: 3 })] },
  { name: 'from a revision to come', acts: [create({ key, startRevision: 4 }), ...puts('1', '2', '3', '4')] },
  {
    name: 'with what was before',
    acts: [...puts('1'), create({ key, prevKv: true }), ...puts('2'), del('it', { key }), ...puts('3')],
  },
  {
    name: 'with what was before, from the past',
    acts: [...puts('1', '2'), del('it', { key }), create({ key, startRevision: 2, prevKv: true })],
  },
  { name: 'no puts', acts: [create({ key, filters: [0] }), ...puts('1'), del('it', { key })] },
  {
    name: 'no deletions',
    acts: [create({ key, filters: [1] }), del('nothing', { key }), ...puts('1'), del('it', { key }), ...puts('2')],
  },
  { name: 'nothing at all', acts: [create({ key, filters: [0, 1] }), ...puts('1'), del('it', { key }), cancel(0)] },
  { name: 'without a key', acts: [create({ rangeEnd: bytes('\0') }), ...puts('1')] },
  {
    name: 'from a key on',
    acts: [create({ key, rangeEnd: bytes('\0') }), ...puts('1'), put('later', { key: bytes('z') })],
  },
  { name: 'an empty range', acts: [create({ key, rangeEnd: key }), create({ key }), ...puts('1')] },
  {
    name: 'the range ends before it begins',
    acts: [create({ key, rangeEnd: bytes('a') }), create({ key }), ...puts('1')],
  },
  {
    name: 'several on one stream',
    acts: [create({ key }), create(prefix), create({ key, watchId: 7 }), ...puts('1'), cancel(1), ...puts('2')],
  },
  { name: 'an id twice', acts: [create({ key, watchId: 7 }), create({ key, watchId: 7 }), ...puts('1')] },
  {
    name: 'an id that comes by itself later',
    acts: [create({ key, watchId: 1 }), create({ key }), create({ key }), ...puts('1')],
  },
  {
    name: 'an id again after its end',
    acts: [create({ key, watchId: 7 }), cancel(7), create({ key, watchId: 7 }), ...puts('1')],
  },
  { name: 'the end of one that is not there', acts: [cancel(99), create({ key }), ...puts('1')] },
  { name: 'the end', acts: [create({ key }), ...puts('1'), cancel(0), ...puts('2'), create({ key: bytes('other') })] },
  {
    name: 'a transaction',
    acts: [
      create(prefix),
      txn('both', { success: [{ requestPut: { key } }, { requestPut: { key: bytes('w/b') } }] }),
      txn('one goes', { success: [{ requestDeleteRange: { key } }, { requestPut: { key: bytes('w/c') } }] }),
    ],
  },
  {
    name: 'a deletion of a range',
    acts: [...puts('1'), put('b', { key: bytes('w/b') }), create(prefix), del('all', prefix)],
  },
  {
    name: 'progress',
    acts: [create({ key }), { watch: { progressRequest: {} } }, ...puts('1'), { watch: { progressRequest: {} } }],
  },
  {
    name: 'from what is compacted',
    acts: [...puts('1', '2', '3', '4'), compact('it', { revision: 4 }), create({ key, startRevision: 2 })],
    differs: 'Balsa gives the reason, as etcd does since 3.5',
  },
  {
    name: 'from where it is compacted',
    acts: [...puts('1', '2', '3', '4'), compact('it', { revision: 4 }), create({ key, startRevision: 4 })],
  },
];
