import { assert } from '../../base/assert.ts';
import type { Receipt, ReceiptStore } from '../receipt.ts';

/** A receipt store in memory that survives its openings, as a file does, and fails when it is told to. */
export interface MemoryReceipts {
  /** What a new process would find. */
  newest: Receipt | undefined;
  /** Every receipt that became durable. */
  readonly written: readonly Receipt[];
  /** The next write rejects with this and leaves the old receipt. */
  failNextWrite(reason: Error): void;
  /** Writes wait from now on, as on a slow disk; the returned function lets them go. */
  hold(): () => void;
  /** A new opening, as by a process that starts. */
  open(bootId?: string): ReceiptStore;
}

export function memoryReceipts(): MemoryReceipts {
  const written: Receipt[] = [];
  let failure: Error | undefined;
  let held: Promise<void> | undefined;
  let boots = 0;

  const receipts: MemoryReceipts = {
    newest: undefined,
    written,
    failNextWrite(reason) {
      failure = reason;
    },
    hold() {
      const { promise, resolve } = withResolvers();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
    open(bootId = `boot-${++boots}`) {
      let writing = false;
      return {
        bootId,
        read: async () => receipts.newest,
        async write(receipt) {
          assert(!writing, 'two receipts are written at once');
          writing = true;
          await held;
          writing = false;
          const reason = failure;
          failure = undefined;
          if (reason !== undefined) throw reason;
          receipts.newest = receipt;
          written.push(receipt);
        },
        close: async () => undefined,
      };
    },
  };
  return receipts;
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
