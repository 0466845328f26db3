/** npm passes Ctrl-C on to a process that the terminal has sent it to already; within this time both are one key press. */
const samePressMs = 500;

const stopSignals = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 } as const;

export type StopSignal = keyof typeof stopSignals;

/**
 * Resolves with the first of the signals that ask a process to end. A further one calls `onRepeat` with the exit code
 * that says so: whoever sends it has waited long enough.
 */
export function firstStopSignal(onRepeat: (exitCode: number) => void): Promise<StopSignal> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    for (const signal of Object.keys(stopSignals) as StopSignal[]) {
      process.on(signal, () => {
        const nowMs = performance.now();
        firstAtMs ??= nowMs;
        if (nowMs - firstAtMs > samePressMs) onRepeat(128 + stopSignals[signal]);
        resolve(signal);
      });
    }
  });
}
