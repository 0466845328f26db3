import type { Key, KeyBounds } from '../client/index.ts';
import { CommandError } from './exit-codes.ts';

/** Keys as etcdctl's flags name them. */
export interface KeySelection {
  readonly key: Key | undefined;
  readonly prefix: boolean | undefined;
  readonly fromKey: boolean | undefined;
  readonly rangeEnd: Key | undefined;
}

/** One key; or with one of the flags those that begin with it, all from it on, or all from it up to the end. */
export function selectedKeys({ key, prefix, fromKey, rangeEnd }: KeySelection): { readonly key: Key } | KeyBounds {
  if ([prefix === true, fromKey === true, rangeEnd !== undefined].filter(Boolean).length > 1) {
    throw new CommandError('--prefix, --from-key and the end of a range contradict each other; give one of them');
  }
  if (prefix === true) return { prefix: key ?? '' };
  if (fromKey === true) return { start: key ?? '' };
  if (rangeEnd !== undefined) return { start: key ?? '', end: rangeEnd };
  return key === undefined ? { prefix: '' } : { key };
}
