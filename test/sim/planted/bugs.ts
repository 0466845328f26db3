/** A real mistake, as a change to the text of one file of production code. Nothing in `src/` knows of it. */
export interface PlantedBug {
  readonly name: string;
  /** What it does wrong, and where such a thing was seen or what rule it breaks. */
  readonly what: string;
  /** Below `src/`. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'unsynced writes',
    what: 'writes to LevelDB are not synced',
    file: 'storage/synced-batch.ts',
    find: 'const durable: AbstractChainedBatchWriteOptions & { sync: true } = { sync: true };',
    replace: 'const durable: AbstractChainedBatchWriteOptions = {};',
  },
  {
    name: 'promise before the disk',
    what: 'votes and acknowledgements leave before the batch behind them is durable',
    file: 'replica/driver.ts',
    find: 'if (ready.messages.length > 0) transport.send(groupId, ready.messages);',
    replace: 'transport.send(groupId, [...ready.messages, ...ready.messagesAfterPersist]);',
  },
  {
    name: 'forgotten vote',
    what: 'a vote in a term that is on disk already is not written',
    file: 'replica/driver.ts',
    find: 'hardState: hardState === this.#persistedHardState ? undefined : hardState',
    replace: 'hardState: hardState.term === this.#persistedHardState.term ? undefined : hardState',
  },
  {
    name: 'early term',
    what: 'messages that need no disk leave in a term that is not on disk yet',
    file: 'raft/outbox.ts',
    find: 'if (persists.vote) return { messages: [], messagesAfterPersist: [...promises, ...prompt] };',
    replace: '',
  },
  {
    name: 'commit by counting old terms',
    what: 'an entry of an older term counts as committed once a quorum has it (Raft paper, figure 8)',
    file: 'raft/replicate.ts',
    find: 'if (index < noopIndex || !log.commitTo(index)) return;',
    replace: 'if (!log.commitTo(index) || index < noopIndex) return;',
  },
  {
    name: 'append with a gap',
    what: 'a follower takes entries without comparing the one before them',
    file: 'raft/handle-append-entries.ts',
    find: 'if (previousIndex >= log.committed && !log.matches(previousIndex, previousTerm)) {',
    replace: 'if (previousIndex > log.lastIndex) {',
  },
  {
    name: 'append always truncates',
    what: 'an append that comes late removes entries that were acknowledged since',
    file: 'raft/log-view.ts',
    find: '({ index, term }) => index > this.#committed && !this.matches(index, term)',
    replace: '({ index }) => index > this.#committed',
  },
  {
    name: 'end of a write that was replaced',
    what: 'entries that were replaced while they were written count as written (ABA)',
    file: 'raft/log-view.ts',
    find: 'this.#stableIndex += this.#writingCount;',
    replace: 'this.#stableIndex += Math.min(this.#writing.length, this.#writingCount + this.#pending.length);',
  },
  {
    name: 'vote for a shorter log',
    what: 'of two logs with the same last term the longer one does not win',
    file: 'raft/log-view.ts',
    find: 'return lastTerm > ownLastTerm || (lastTerm === ownLastTerm && lastIndex >= this.lastIndex);',
    replace: 'return lastTerm >= ownLastTerm;',
  },
  {
    name: 'second vote',
    what: 'a member votes for whoever asks, also if it has voted in that term',
    file: 'raft/handle-request-vote.ts',
    find: 'const mayVote = core.vote === undefined && core.leader === undefined &&',
    replace: 'const mayVote = core.leader === undefined &&',
  },
  {
    name: 'no check of the quorum',
    what: 'a leader that hears nobody stays in office',
    file: 'raft/tick.ts',
    find: 'if (leadership.ticks < electionTicks) return true;',
    replace: 'if (leadership.ticks >= 0) return true;',
  },
  {
    name: 'read without a quorum',
    what: 'a leader answers reads without asking whether it still leads',
    file: 'raft/read-index.ts',
    find: 'if (!isQuorum(core.configuration, isAnswered)) return false;',
    replace: '',
  },
  {
    name: 'read before the first commit',
    what: 'a new leader answers reads before it knows what is committed (etcd#7331)',
    file: 'raft/read-index.ts',
    find: 'return core.log.committed >= noopIndex;',
    replace: 'return noopIndex > 0;',
  },
  {
    name: 'reused read context',
    what: 'a question for a read index that is asked again has the same context as before',
    file: 'replica/reads.ts',
    find: '    const context = ++this.#lastContext;\n    if (!',
    replace: '    const context = this.#lastContext;\n    if (!',
  },
  {
    name: 'read before it is applied',
    what: 'a read is served before the store has reached the index that was confirmed',
    file: 'replica/reads.ts',
    find: '({ index }) => index <= applied)',
    replace: '({ index }) => index <= applied + 3)',
  },
  {
    name: 'staleness from the answer',
    what: 'the age of the state is counted from the answer of a round instead of from its start',
    file: 'replica/reads.ts',
    find: 'this.#currentAsOfMs = Math.max(this.#currentAsOfMs, round.startedMs);',
    replace: 'this.#currentAsOfMs = this.#options.clock.monotonicMs();',
  },
  {
    name: 'unknown told as failed',
    what: 'a write that was proposed and not confirmed in time is reported as not executed',
    file: 'replica/writes.ts',
    find: "this.#fail(write, outcomeUnknown('the cluster did not confirm it in time'));",
    replace: 'this.#fail(write, timeout());',
  },
  {
    name: 'lost write sent again',
    what: 'a forwarded write whose answer was lost is sent again, although it may have been executed',
    file: 'replica/writes.ts',
    find: "if (answer.outcome === 'lost') {",
    replace:
      "if (answer.outcome === 'lost') {\n      this.#waitOrRefuse(write);\n      return;\n    }\n    if (answer.outcome !== 'answered') {",
  },
  {
    name: 'answer for another entry',
    what: "a write whose place in the log another leader's entry took is reported as done",
    file: 'replica/writes.ts',
    find: 'if (term !== entry.term || result === undefined) this.#dispatch(write);',
    replace: 'if (result === undefined) this.#dispatch(write);',
  },
  {
    name: 'retry after a failed write',
    what: 'a write that LevelDB refused is tried again, and believed',
    file: 'storage/synced-batch.ts',
    find: '  await batch.write(durable);',
    replace:
      '  try {\n    await batch.write(durable);\n  } catch {\n    const again = database.batch();\n    fill(again);\n    await again.write(durable);\n  }',
  },
  {
    name: 'receipt not compared',
    what: 'a log that is shorter than its receipt says is opened as if it were whole',
    file: 'storage/verify-log.ts',
    find: "else if (options.receipt !== 'lost') contradictions.push(...compareWithReceipt(tail, receipt));",
    replace: '',
  },
  {
    name: 'checksum of an entry not compared',
    what: 'an entry with a flipped bit is taken for what was written',
    file: 'raft/entry-record.ts',
    find: 'if (bytes.readUInt32BE(checksumAt) !== checksumOf(bytes)) return undefined;',
    replace: '',
  },
  {
    name: 'suspect votes',
    what: 'a member that lost what it had acknowledged votes as if nothing had happened',
    file: 'raft/core-state.ts',
    find: 'return this.suspectTerm !== undefined;',
    replace: 'return this.suspectTerm === 0;',
  },
  {
    name: 'suspect heals in the same term',
    what: 'a suspect votes again once it holds what its leader says is committed, in whatever term that was written',
    file: 'raft/suspect.ts',
    find: 'if ((log.term(log.committed) ?? 0) > suspectTerm)',
    replace: 'if (log.committed > 0)',
  },
  {
    name: 'heartbeat commits what is there',
    what: 'a follower commits up to the end of its own log, whatever entries stand there',
    file: 'raft/handle-heartbeat.ts',
    find: 'if (commit > core.log.committed && !core.log.matches(commit, commitTerm)) becomeSuspect(core);\n  else core',
    replace: 'core',
  },
  {
    name: 'heartbeat with the whole commit index',
    what: 'the leader tells a follower to commit what that one is not known to have',
    file: 'raft/read-index.ts',
    find: 'const known = Math.min(follower.matchIndex, core.log.committed);',
    replace: 'const known = core.log.committed;',
  },
  {
    name: 'applied index behind the changes',
    what: 'the applied index that is written with a batch is that of the entry before: one is applied twice (etcd#13766)',
    file: 'mvcc/mvcc-store.ts',
    find: 'encodeState(key.bytes, { appliedIndex, revision, keyCount })',
    replace: 'encodeState(key.bytes, { appliedIndex: Math.max(0, appliedIndex - 1), revision, keyCount })',
  },
  {
    name: 'changes invisible while they are written',
    what: 'a read looks past the changes that are on their way to the disk',
    file: 'mvcc/write-buffer.ts',
    find: 'if (change === undefined) change = findIn(this.#flushing, name);',
    replace: '',
  },
  {
    name: 'member-dependent apply',
    what: 'applying depends on something of the member: here, on whether it has just written to its disk',
    file: 'mvcc/apply.ts',
    find: 'const version = (old?.version ?? 0) + 1;',
    replace: 'const version = (old?.version ?? 0) + (globalThis.performance.now() % 7 < 1 ? 2 : 1);',
  },
  {
    name: 'condition not looked at',
    what: 'a put on condition that there is no such key replaces one that is there',
    file: 'mvcc/apply.ts',
    find: 'return present === undefined;',
    replace: 'return true;',
  },
];
