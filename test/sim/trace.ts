/**
 * A hash over everything that happens in a run, in order: two runs of a seed that give the same one did the same. It
 * is the FNV-1a of Fowler, Noll and Vo, in two lanes, over 32-bit numbers.
 */
export class Trace {
  #low = 0x811c9dc5;
  #high = 0x01234567;

  mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ (value + this.#low), 0x01000193);
  }

  mixText(text: string): void {
    for (let i = 0; i < text.length; i++) this.mix(text.charCodeAt(i));
  }

  get hash(): string {
    return [this.#high, this.#low].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
