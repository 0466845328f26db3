import { Violation } from './checks/violation.ts';
import type { Scheduler } from './world/scheduler.ts';

/** A healed cluster has to be of one mind within that time. Snapshots for members that are gone end after 30 s. */
export const convergenceMs = 40_000;

/** Lets the world go on until that is there. */
export async function inWorld<T>(scheduler: Scheduler, promise: Promise<T>): Promise<T> {
  let isDone = false;
  const end = (): void => {
    isDone = true;
  };
  promise.then(end, end);
  await scheduler.runUntil(scheduler.nowMs + convergenceMs, () => isDone);
  if (!isDone) throw new Violation('liveness', 'a healed cluster does not answer');
  return promise;
}
