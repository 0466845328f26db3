import type { WriteJob, WriteReport } from './commands.ts';
import { writeAtRate } from './write-at-rate.ts';

/** Writes of one generator process that go on while other things are done, until they are ended. */
export class RunningWrites {
  #running: { readonly stop: AbortController; readonly report: Promise<WriteReport> } | undefined;

  begin(job: WriteJob): void {
    if (this.#running !== undefined) throw new Error('writes are under way already');
    const stop = new AbortController();
    const report = writeAtRate(job, stop.signal);
    // Whoever ends them is told.
    report.catch(() => undefined);
    this.#running = { stop, report };
  }

  async end(): Promise<WriteReport> {
    const running = this.#running;
    if (running === undefined) throw new Error('no writes are under way');
    this.#running = undefined;
    running.stop.abort();
    return running.report;
  }
}
