import { kvSteps } from './kv-steps.ts';
import { otherSteps } from './other-steps.ts';
import type { Step } from './step.ts';
import { txnSteps } from './txn-steps.ts';

/** Sent in this order, to servers that are empty before the first one. */
export function table(): readonly Step[] {
  return [...kvSteps(), ...txnSteps(), ...otherSteps()];
}
