import { assert } from '../base/assert.ts';
import { decodeConfigurationData } from '../raft/configuration-data.ts';
import type { Configuration, ConfigurationEntry, Entry, LogIndex } from '../raft/types.ts';

/** The configurations that a log names: the one that it begins with, and that of each configuration entry. */
export class LogConfigurations {
  /** The first one is in effect where the log begins. Shared with callers and never altered. */
  #all: readonly [ConfigurationEntry, ...ConfigurationEntry[]];

  constructor(index: LogIndex, configuration: Configuration) {
    this.#all = [{ index, configuration }];
  }

  get all(): readonly ConfigurationEntry[] {
    return this.#all;
  }

  /** In effect at an index that is not before the beginning of the log. */
  at(index: LogIndex): Configuration {
    let [found] = this.#all;
    assert(index >= found.index, () => `what was in effect at ${index} is not known any more`);
    for (const one of this.#all) if (one.index <= index) found = one;
    return found.configuration;
  }

  /** False if the entry, which is of type `configuration`, cannot be read. */
  append({ index, data }: Entry): boolean {
    const decoded = decodeConfigurationData(data);
    if (decoded === undefined) return false;
    this.#all = [...this.#all, { index, configuration: decoded.configuration }];
    return true;
  }

  truncateFrom(index: LogIndex): void {
    const [first, ...others] = this.#all;
    if (others.some((one) => one.index >= index)) this.#all = [first, ...others.filter((one) => one.index < index)];
  }

  /** The log begins behind that place now; `isAnew`: nothing that stood behind it is left. */
  beginAt({ index, configuration }: ConfigurationEntry, isAnew: boolean): void {
    const later = isAnew ? [] : this.#all.filter((one) => one.index > index);
    this.#all = [{ index, configuration }, ...later];
  }
}
