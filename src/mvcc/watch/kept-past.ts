import type { Revision } from '../../contract/kv.ts';
import type { RevisionChanges } from '../tables.ts';
import { bytesOf } from './batch.ts';

export interface PastLimits {
  readonly changesMax: number;
  readonly bytesMax: number;
  readonly previous: boolean;
}

export interface PastChanges {
  readonly revisions: readonly RevisionChanges[];
  readonly completeTo: Revision;
}

interface Block extends PastChanges {
  readonly owner: object;
  readonly from: Revision;
  readonly bytes: number;
}

/**
 * What was read of the past for watchers of one thing. They take it in pieces as small as their sockets, and several of
 * them go through the same past at about the same time: none of it should be read again for that. The oldest goes first.
 */
export class KeptPast {
  readonly #bytesMax: number;
  /** The oldest first. A few at most of ordinary size; small ones are counted as larger than they are. */
  #blocks: readonly Block[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(owner: object, from: Revision, past: PastChanges): void {
    const bytes = past.revisions.reduce((sum, changes) => sum + bytesOf(changes), blockBytesMin);
    this.#blocks = [...this.#blocks, { ...past, owner, from, bytes }];
    this.#bytes += bytes;
    while (this.#bytes > this.#bytesMax) {
      this.#bytes -= this.#blocks[0]?.bytes ?? 0;
      this.#blocks = this.#blocks.slice(1);
    }
  }

  /** What is kept from somewhere before or at a revision on, and reaches beyond it. */
  find(owner: object, next: Revision): PastChanges | undefined {
    return this.#blocks.findLast((block) => block.owner === owner && block.from <= next && next <= block.completeTo);
  }

  clear(): void {
    this.#blocks = [];
    this.#bytes = 0;
  }
}

/** So that the blocks stay so few that looking through them costs nothing. */
const blockBytesMin = 16 * 1024;
