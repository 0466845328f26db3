/** How long followers heard nothing of their leader, as something between them saw it. */
export class HeartbeatGaps {
  readonly #gapsMs: number[] = [];
  readonly #heardMs = new Map<string, number>();
  #leader: string | undefined;

  /** From now on. */
  watch(leader: string): void {
    this.#leader = leader;
    this.#heardMs.clear();
  }

  onSent(from: string, to: string): void {
    if (from !== this.#leader) return;
    const nowMs = performance.now();
    const beforeMs = this.#heardMs.get(to);
    if (beforeMs !== undefined) this.#gapsMs.push(nowMs - beforeMs);
    this.#heardMs.set(to, nowMs);
  }

  get count(): number {
    return this.#gapsMs.length;
  }

  /** Milliseconds; with the silence that lasts. */
  get longest(): number {
    const lasting = [...this.#heardMs.values()].map((heardMs) => performance.now() - heardMs);
    return Math.max(
      0,
      ...lasting,
      this.#gapsMs.reduce((most, gap) => Math.max(most, gap), 0),
    );
  }

  quantile(share: number): number {
    return quantile(this.#gapsMs, share);
  }
}

/** The smallest of them that the given share is not above; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
