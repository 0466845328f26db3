import { assert } from '../base/assert.ts';
import { isVoter, membersOf } from './configuration.ts';
import { decodeConfigurationData } from './configuration-data.ts';
import type { Configuration, ConfigurationEntry, Entry, LogIndex, MemberId } from './types.ts';

/**
 * The configurations of a log: the newest is in effect as soon as it is in the log, and gives way to the one before it
 * when its entry is replaced (thesis 4.1). What is committed cannot be replaced; what was superseded by that is dropped.
 *
 * **Invariant:** never empty, ascending; at most the first one is committed.
 */
export class ConfigurationHistory {
  #entries: readonly ConfigurationEntry[];

  constructor(entries: readonly ConfigurationEntry[], committed: LogIndex) {
    assert(entries.length > 0, 'a log without a configuration');
    this.#entries = entries;
    this.commitTo(committed);
  }

  get newest(): ConfigurationEntry {
    const newest = this.#entries.at(-1);
    assert(newest !== undefined, 'a log without a configuration');
    return newest;
  }

  /** Members of any configuration that is in effect or may be again: each once. */
  get members(): readonly MemberId[] {
    return [...new Set(this.#entries.flatMap(({ configuration }) => membersOf(configuration)))];
  }

  /** Of any configuration that is in effect or may be again. */
  hasVoter(member: MemberId): boolean {
    return this.#entries.some(({ configuration }) => isVoter(configuration, member));
  }

  /** Takes in what was appended behind the last one. */
  append(entries: readonly Entry[]): void {
    for (const { type, index, data } of entries) {
      if (type !== 'configuration') continue;
      const decoded = decodeConfigurationData(data);
      assert(decoded !== undefined, () => `entry ${index} holds no configuration`);
      assert(index > this.newest.index, 'configurations out of order');
      this.#entries = [...this.#entries, { index, configuration: decoded.configuration }];
    }
  }

  /** The entries from `index` on are replaced. */
  truncateFrom(index: LogIndex): void {
    if (this.newest.index < index) return;
    this.#entries = this.#entries.filter((entry) => entry.index < index);
    assert(this.#entries.length > 0, 'a committed configuration would be replaced');
  }

  commitTo(index: LogIndex): void {
    const superseded = this.#entries.findLastIndex((entry) => entry.index <= index);
    if (superseded > 0) this.#entries = this.#entries.slice(superseded);
  }

  replace(index: LogIndex, configuration: Configuration): void {
    this.#entries = [{ index, configuration }];
  }
}
