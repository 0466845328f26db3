import type { KeyValue, Revision } from '../contract/kv.ts';

/** What applying a command says to its proposer; the same on every member. */
export type CommandResult =
  | {
      readonly kind: 'put';
      readonly revision: Revision;
      readonly created: boolean;
      readonly createRevision: Revision;
      readonly version: number;
      readonly previous: KeyValue | undefined;
    }
  | {
      readonly kind: 'delete';
      readonly revision: Revision;
      readonly deleted: number;
      readonly previous: KeyValue | undefined;
    }
  /** The condition did not hold; `modRevision` is the key's present one, or undefined if it is absent. */
  | { readonly kind: 'conditionFailed'; readonly revision: Revision; readonly modRevision: Revision | undefined }
  | { readonly kind: 'published'; readonly revision: Revision };

export declare function encodeResult(result: CommandResult): Buffer;
export declare function decodeResult(bytes: Uint8Array): CommandResult;
