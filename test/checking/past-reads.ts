import type { KeyValue } from '../../src/contract/kv.ts';
import { printable } from '../model/printable.ts';
import type { PastStates } from './event-log.ts';

/** A read of everything under a prefix, at a revision, with linearizable consistency. */
export interface PastRead {
  readonly revision: number;
  readonly prefix: string;
  /** A compaction that was acknowledged before it was asked for, and that it has to know of; 0: none. */
  readonly compactedBefore: number;
  readonly told: /** `isWhole`: no further page follows. */
    | { readonly kind: 'kvs'; readonly kvs: readonly KeyValue[]; readonly isWhole: boolean }
    | {
        readonly kind: 'refusal';
        readonly status: number;
        readonly code: string;
        readonly compactRevision: number;
        /** The highest compaction that had been asked for when the answer came. */
        readonly requested: number;
      };
}

/** What is kept is read as it was; what is compacted is refused as such, and nothing else is. */
export function checkPastReads(reads: readonly PastRead[], states: PastStates): string | undefined {
  for (const read of reads) {
    const { revision, prefix, compactedBefore, told } = read;
    const wrong = told.kind === 'refusal' ? checkRefusal(read) : checkKvs(read, states);
    if (wrong !== undefined) return `${prefix} at revision ${revision}, compacted to ${compactedBefore}: ${wrong}`;
  }
  return undefined;
}

function checkRefusal({ revision, told }: PastRead): string | undefined {
  if (told.kind !== 'refusal') return undefined;
  const { status, code, compactRevision, requested } = told;
  if (status !== 410 || code !== 'compacted') return `refused as ${status} ${code}`;
  if (compactRevision > requested) return `compacted at ${compactRevision}, and nobody asked beyond ${requested}`;
  return revision < compactRevision ? undefined : `refused although only what is before ${compactRevision} is gone`;
}

function checkKvs({ revision, prefix, compactedBefore, told }: PastRead, states: PastStates): string | undefined {
  if (told.kind !== 'kvs') return undefined;
  if (revision < compactedBefore) return 'answered although it was compacted';
  const all = states.range(prefix, revision);
  const expected = told.isWhole ? all : all.slice(0, told.kvs.length);
  const [found, right] = [printable(told.kvs), printable(expected)];
  return found === right ? undefined : `told ${found} where there was ${right}`;
}
