import type { Clock } from '../base/clock.ts';

/** Lets the input that has arrived be handled before the rest of a long piece of work. */
export function breathe(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.afterInput(resolve));
}
