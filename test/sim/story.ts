/** What happened in a run, for people: a line for each thing that matters, the newest ones kept. */
export class Story {
  readonly #lines: { readonly atMs: number; readonly text: string }[] = [];

  tell(atMs: number, text: string): void {
    this.#lines.push({ atMs, text });
  }

  /** The last lines, each with its time. */
  last(count: number): string[] {
    const left = this.#lines.length - count;
    const shown = this.#lines
      .slice(-count)
      .map(({ atMs, text }) => `${(atMs / 1000).toFixed(3).padStart(8)} s  ${text}`);
    return left > 0 ? [`           (${left} lines before)`, ...shown] : shown;
  }
}
