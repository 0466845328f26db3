import { assert } from '../../base/assert.ts';
import { isQuorum } from '../quorum.ts';
import type { Configuration, Entry, LogIndex, MemberId, Message, ReadState, Ready, Snapshot, Term } from '../types.ts';
import type { MemoryLog } from './memory-log.ts';
import { describeEntry, describeMessage } from './scenario-describe.ts';

/** What is looked at in a node. */
export interface WatchedNode {
  readonly id: MemberId;
  readonly disk: MemoryLog;
  readonly core: { readonly term: Term };
}

/**
 * Watches every scenario for what must never happen, so that a wrong behaviour cannot be recorded as the expected one.
 * The names are those of the Raft paper, figure 3; the promises are those of `Ready`.
 */
export class ScenarioSafety {
  readonly #nodes: ReadonlyMap<MemberId, WatchedNode>;
  readonly #leaders = new Map<Term, MemberId>();
  /** What was applied anywhere, with the term of the node that applied it first. */
  readonly #applied = new Map<LogIndex, { readonly entry: Entry; readonly inTerm: Term }>();

  /** What was applied anywhere when a read was asked for; a client may have been told of all of it. */
  readonly #readFloors = new Map<number, LogIndex>();

  constructor(nodes: ReadonlyMap<MemberId, WatchedNode>) {
    this.#nodes = nodes;
  }

  checkReady(node: WatchedNode, ready: Ready, appliedIndex: LogIndex): void {
    const { id, disk, core } = node;
    const { hardState, softState, entries, committedEntries } = ready;
    const isVoteChanged =
      hardState !== undefined && (hardState.term !== disk.hardState.term || hardState.vote !== disk.hardState.vote);
    assert(ready.mustPersist || !isVoteChanged, `${id}: a new term or vote must be written`);
    assert(ready.mustPersist || entries.length === 0, `${id}: new entries must be written`);
    assert((hardState?.term ?? disk.hardState.term) >= disk.hardState.term, `${id}: the term goes back`);
    assert(consecutive(entries), `${id}: the entries to persist have a gap`);
    assert(consecutive(committedEntries), `${id}: the entries to apply have a gap`);
    const firstToApply = committedEntries[0]?.index ?? appliedIndex + 1;
    assert(firstToApply === appliedIndex + 1, `${id}: shows ${firstToApply} to apply after ${appliedIndex}`);
    if (softState?.role === 'leader') this.#checkLeader(node, core.term, entries);
  }

  /** Election Safety and Leader Completeness. */
  #checkLeader(node: WatchedNode, term: Term, unwritten: readonly Entry[]): void {
    const other = this.#leaders.get(term) ?? node.id;
    assert(other === node.id, `two leaders of term ${term}: ${other} and ${node.id}`);
    this.#leaders.set(term, node.id);
    for (const { entry, inTerm } of this.#applied.values()) {
      if (inTerm >= term) continue;
      const own = unwritten.find(({ index }) => index === entry.index) ?? node.disk.entry(entry.index);
      const isHeld = own === undefined ? holds(node.disk, entry) : own.term === entry.term;
      assert(isHeld, `leader ${node.id} of term ${term} lacks ${describeEntry(entry)}`);
    }
  }

  /** A message must not leave before the disk has what it says. */
  checkPromise({ id, disk }: WatchedNode, message: Message): void {
    const { term, vote } = disk.hardState;
    const lie = (what: string) => () => `${id} sends "${describeMessage(message)}", but ${what}`;
    // A pre-vote and its grant carry a term that nobody is in yet.
    if (message.type === 'preVote') return;
    if (message.type === 'preVoteResponse' && message.granted) return;
    assert(message.term <= term, lie(`its disk is in term ${term}`));
    if (message.term < term) return;
    switch (message.type) {
      case 'requestVote':
        assert(vote === id, lie(`its disk holds a vote for ${vote}`));
        return;
      case 'requestVoteResponse':
        assert(!message.granted || vote === message.to, lie(`its disk holds a vote for ${vote}`));
        return;
      case 'appendEntriesResponse':
        if (!message.result.accepted) return;
        assert(message.result.matchIndex <= disk.lastIndex(), lie(`its disk ends at ${disk.lastIndex()}`));
        return;
      default:
        return;
    }
  }

  /** State Machine Safety, and that a committed entry is on the disks of a majority, here too. */
  checkApply(node: WatchedNode, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { entry: first } = this.#applied.get(entry.index) ?? { entry };
      assert(
        isSame(first, entry),
        `${node.id} applies ${describeEntry(entry)} where ${describeEntry(first)} was applied`,
      );
      if (!this.#applied.has(entry.index)) this.#applied.set(entry.index, { entry, inTerm: node.core.term });

      assert(node.disk.entry(entry.index)?.term === entry.term, `${node.id} applies ${describeEntry(entry)} unwritten`);
      const holders = [...this.#nodes.values()].filter(({ disk }) => holds(disk, entry)).map(({ id }) => id);
      const isDurable = this.#configurationsSince(entry.index).some((configuration) =>
        isQuorum(configuration, (member) => holders.includes(member)),
      );
      assert(isDurable, `${node.id} applies ${describeEntry(entry)}, which is only on the disks of ${holders}`);
    }
  }

  /** A snapshot stands for entries that were committed. */
  checkSnapshot({ id }: WatchedNode, { index, term }: Snapshot): void {
    const applied = this.#applied.get(index)?.entry;
    assert(applied?.term === term, `${id} takes a snapshot up to ${index}@${term}, which nobody has applied`);
  }

  /** Those that an entry may have been committed by: any that some node has in effect at its place or later. */
  #configurationsSince(index: LogIndex): readonly Configuration[] {
    return [...this.#nodes.values()].flatMap(({ disk }) => {
      const all = disk.configurations();
      const from = all.findLastIndex((one) => one.index <= index);
      return all.slice(Math.max(0, from)).map(({ configuration }) => configuration);
    });
  }

  readRequested(context: number): void {
    this.#readFloors.set(context, Math.max(0, ...this.#applied.keys()));
  }

  /** Linearizable reads (thesis 6.4): what was applied before the question is covered by the answer. */
  checkRead({ id }: WatchedNode, { context, index }: ReadState): void {
    const floor = this.#readFloors.get(context);
    assert(floor !== undefined, `${id} answers read ${context}, which nobody asked for`);
    assert(index >= floor, `${id} answers read ${context} at ${index}, but ${floor} was applied before it`);
  }

  /** Log Matching: two logs that agree in the term at an index are the same up to there. */
  checkLogs(): void {
    const nodes = [...this.#nodes.values()];
    for (const [position, a] of nodes.entries()) {
      for (const b of nodes.slice(position + 1)) checkLogMatching(a, b);
    }
  }
}

function checkLogMatching(a: WatchedNode, b: WatchedNode): void {
  let isAgreed = false;
  const firstIndex = Math.max(a.disk.firstIndex(), b.disk.firstIndex());
  for (let index = Math.min(a.disk.lastIndex(), b.disk.lastIndex()); index >= firstIndex; index--) {
    const [left, right] = [a.disk.entry(index), b.disk.entry(index)];
    assert(left !== undefined && right !== undefined, `a log has a hole at ${index}`);
    isAgreed ||= left.term === right.term;
    assert(!isAgreed || isSame(left, right), `the logs of ${a.id} and ${b.id} agree above ${index} and differ there`);
  }
}

/** What a log has dropped it has applied. */
function holds(disk: MemoryLog, { index, term }: Entry): boolean {
  return index < disk.firstIndex() || disk.entry(index)?.term === term;
}

function consecutive(entries: readonly Entry[]): boolean {
  return entries.every((entry, position) => entry.index === (entries[0]?.index ?? 0) + position);
}

function isSame(a: Entry, b: Entry): boolean {
  return a.index === b.index && a.term === b.term && a.type === b.type && Buffer.compare(a.data, b.data) === 0;
}
