/** The terminal, or whatever standard error is. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What fills the bar; without a `total` only what was done is shown. */
export interface Progress {
  readonly done: number;
  readonly total?: number | undefined;
}

/** Between two drawings; a person sees no more. */
const drawEveryMs = 100;
const barWidth = 24;

/**
 * One line on a terminal that says how far something is, drawn over itself; elsewhere nothing, because a log of it would
 * be rubbish. It has to be ended before anything else is written.
 */
export class ProgressLine {
  readonly #output: ProgressOutput;
  readonly #nowMs: () => number;
  readonly #beganAtMs: number;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(output: ProgressOutput = process.stderr, nowMs: () => number = () => performance.now()) {
    this.#output = output;
    this.#nowMs = nowMs;
    this.#beganAtMs = nowMs();
  }

  /** Bytes that have been dealt with: `verifying ███████░░░ 61%  12.3 MiB of 20.1 MiB  8.1 MiB/s`. */
  bytes(what: string, progress: Progress): void {
    this.#draw((elapsedMs) => bytesText(what, progress, elapsedMs));
  }

  /** A state, in words. */
  say(text: string): void {
    this.#draw(() => text);
  }

  /** Leaves the line empty for what comes next. Idempotent. */
  end(): void {
    if (this.#isDrawn) this.#output.write('\r\u001B[K');
    this.#isDrawn = false;
    this.#drawnAtMs = Number.NEGATIVE_INFINITY;
  }

  #draw(text: (elapsedMs: number) => string): void {
    if (this.#output.isTTY !== true) return;
    const nowMs = this.#nowMs();
    if (nowMs - this.#drawnAtMs < drawEveryMs) return;
    this.#drawnAtMs = nowMs;
    this.#isDrawn = true;
    // A line that wraps could not be drawn over.
    const room = (this.#output.columns || 80) - 1;
    this.#output.write(`\r${text(nowMs - this.#beganAtMs).slice(0, room)}\u001B[K`);
  }
}

function bytesText(what: string, { done, total }: Progress, elapsedMs: number): string {
  const rate = elapsedMs < 1000 ? '' : `  ${bytesOf((done / elapsedMs) * 1000)}/s`;
  if (total === undefined || total === 0) return `${what}  ${bytesOf(done)}${rate}`;
  const share = Math.min(1, done / total);
  const filled = Math.floor(share * barWidth);
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
  return `${what} ${bar} ${Math.floor(share * 100)}%  ${bytesOf(done)} of ${bytesOf(total)}${rate}`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `12.3 MiB`. */
export function bytesOf(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}
