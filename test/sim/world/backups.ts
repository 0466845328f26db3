import type { Operation } from '../../checking/history.ts';
import type { Running, SimulatedMember } from './member.ts';
import type { Scheduler } from './scheduler.ts';

/** A backup that was taken to its end. */
export interface TakenBackup {
  readonly bytes: Uint8Array;
  readonly revision: number;
  /** The highest revision that anybody had been told when it was asked for. */
  readonly told: number;
}

const timeoutMs = 5000;

/** Takes backups of members, as they run, while everything else goes wrong; one that is cut off is none. */
export class Backups {
  readonly #scheduler: Scheduler;
  readonly #history: readonly Operation[];
  readonly #tell: (text: string) => void;
  /** The newest. */
  last: TakenBackup | undefined;

  constructor(scheduler: Scheduler, history: readonly Operation[], tell: (text: string) => void) {
    this.#scheduler = scheduler;
    this.#history = history;
    this.#tell = tell;
  }

  take(member: SimulatedMember): void {
    const { running } = member;
    if (running === undefined) return;
    const told = Math.max(1, ...this.#history.map(({ revision = 1 }) => revision));
    const cutOff = (reason: unknown): void => this.#tell(`no backup of ${member.id}: ${reason}`);
    const forget = member.whenGone(() => cutOff('it is gone'));
    this.#scheduler.after(0, running.process, () => {
      download(running).then(
        ({ bytes, revision }) => {
          forget();
          this.last = { bytes, revision, told };
          this.#tell(`a backup of ${member.id} is that of revision ${revision}`);
        },
        (reason: unknown) => {
          forget();
          cutOff(reason);
        },
      );
    });
  }
}

/** Does not end if the process does not live to see it. */
async function download({ backup }: Running): Promise<Pick<TakenBackup, 'bytes' | 'revision'>> {
  const { revision, chunks } = await backup.backup({ timeoutMs });
  const frames: Uint8Array[] = [];
  for await (const frame of chunks) frames.push(frame);
  return { bytes: Buffer.concat(frames), revision };
}
