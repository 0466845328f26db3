import { firstStopSignal } from './stop-signal.ts';

/** Runs what has no end until the process is asked to stop, which is its regular end. */
export async function untilStopped(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stopping = new AbortController();
  void firstStopSignal((exitCode) => process.exit(exitCode)).then(() => stopping.abort());
  try {
    await run(stopping.signal);
  } catch (reason) {
    // What was under way when the signal came, and was given up for it.
    if (!stopping.signal.aborted) throw reason;
  }
}
