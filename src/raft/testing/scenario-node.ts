import { assert } from '../../base/assert.ts';
import type { Random } from '../../base/random.ts';
import { RaftCore } from '../raft.ts';
import type {
  Configuration,
  Entry,
  HardState,
  LogIndex,
  MemberId,
  Message,
  RaftOptions,
  ReadState,
  Ready,
  Snapshot,
  SnapshotOffer,
} from '../types.ts';
import { MemoryLog } from './memory-log.ts';
import {
  describeAct,
  describeEntries,
  describeHardState,
  describeMessage,
  describeSnapshot,
  describeSoftState,
} from './scenario-describe.ts';
import type { ScenarioSafety } from './scenario-safety.ts';
import { ScenarioMistake } from './scenario-script.ts';

/** What a node is started with; its term, vote, commit index and log come from its disk. */
export type ScenarioNodeOptions = Omit<RaftOptions, 'hardState' | 'appliedIndex'> & {
  /** The one that its log begins with. */
  readonly configuration: Configuration;
};

/** What a node needs of the cluster it stands in. */
export interface ScenarioSurroundings {
  readonly safety: ScenarioSafety;
  print(line: string): void;
  /** False if the message is lost on its way out. */
  send(message: Message): boolean;
}

/**
 * One member: the core and the simplest driver that keeps the contract of `Ready`. A write can be held in flight, and
 * a crash loses what was not written: the core, the write in flight, the commit index that waited for the next batch.
 * The state machine counts as durable: a restart goes on from what it had applied.
 */
export class ScenarioNode {
  readonly disk: MemoryLog;
  readonly #options: ScenarioNodeOptions;
  readonly #random: Random;
  readonly #surroundings: ScenarioSurroundings;
  #core: RaftCore | undefined;
  #appliedIndex: LogIndex = 0;
  #isDiskHeld = false;
  #inFlight: Ready | undefined;
  /** A commit index that is not worth a write of its own, until one comes. */
  #unwritten: HardState | undefined;

  constructor(options: ScenarioNodeOptions, random: Random, surroundings: ScenarioSurroundings) {
    this.disk = new MemoryLog(options.configuration);
    this.#options = options;
    this.#random = random;
    this.#surroundings = surroundings;
  }

  get id(): MemberId {
    return this.#options.id;
  }

  get isUp(): boolean {
    return this.#core !== undefined;
  }

  get core(): RaftCore {
    if (this.#core === undefined) throw new ScenarioMistake(`node ${this.id} is down`);
    return this.#core;
  }

  get hasWork(): boolean {
    return this.#core !== undefined && this.#inFlight === undefined && this.#core.hasReady();
  }

  get isWriting(): boolean {
    return this.#inFlight !== undefined;
  }

  start(appliedIndex: LogIndex = this.#appliedIndex): void {
    if (this.isUp) throw new ScenarioMistake(`node ${this.id} is up already`);
    this.#appliedIndex = appliedIndex;
    const options = { ...this.#options, hardState: this.disk.hardState, appliedIndex };
    this.#core = new RaftCore(options, this.disk, this.#random);
  }

  crash(fate: { readonly isWriteDone: boolean }): void {
    assert(this.isUp, `node ${this.id} is down already`);
    if (fate.isWriteDone) this.#write(this.#takeInFlight());
    this.#core = undefined;
    this.#inFlight = undefined;
    this.#unwritten = undefined;
  }

  receive(message: Message): void {
    this.#print('receive', describeMessage(message));
    this.core.step(message);
  }

  requestRead(context: number): void {
    this.#surroundings.safety.readRequested(context);
    if (!this.core.requestReadIndex(context)) this.#print('read-index', `context=${context} refused`);
  }

  /** What it has applied; or what it had at `index`, as far as its log reaches back. */
  snapshot(index: LogIndex = this.#appliedIndex): Snapshot {
    const term = this.disk.term(index);
    const isKnown = term !== undefined && index <= this.#appliedIndex;
    if (!isKnown) throw new ScenarioMistake(`node ${this.id} has no snapshot up to ${index}`);
    return { index, term, configuration: this.disk.configurationAt(index) };
  }

  installSnapshot(snapshot: Snapshot): void {
    this.#surroundings.safety.checkSnapshot(this, snapshot);
    const isTaken = this.core.installSnapshot(snapshot);
    this.#print('install', `${describeSnapshot(snapshot)}${isTaken ? '' : ' not needed'}`);
  }

  /** Its driver drops the beginning of the log. */
  truncate(index: LogIndex): void {
    if (index > this.#appliedIndex) throw new ScenarioMistake(`node ${this.id} has applied ${this.#appliedIndex}`);
    this.disk.dropTo(index);
  }

  processReady(): void {
    const ready = this.core.ready();
    this.#surroundings.safety.checkReady(this, ready, this.#appliedIndex);
    if (ready.softState !== undefined) this.#print('state', describeSoftState(ready.softState));
    for (const message of ready.messages) this.#send('send', message);
    if (ready.mustPersist && this.#isDiskHeld) {
      this.#print('writing', describeBatch(ready));
      this.#inFlight = ready;
      return;
    }
    this.#finish(ready);
  }

  holdDisk(): void {
    this.#isDiskHeld = true;
  }

  releaseDisk(): void {
    this.#isDiskHeld = false;
    if (this.#inFlight !== undefined) this.persist();
  }

  /** Completes the write in flight; the next one is held again. */
  persist(): void {
    this.#finish(this.#takeInFlight());
  }

  #finish(ready: Ready): void {
    if (ready.mustPersist) {
      this.#write(ready);
      this.#print('persist', describeBatch(ready));
    } else if (ready.hardState !== undefined) {
      this.#unwritten = ready.hardState;
      this.#print('commit', `${ready.hardState.commit}`);
    }
    for (const message of ready.messagesAfterPersist) this.#send('afterPersist', message);
    if (ready.committedEntries.length > 0) this.#apply(ready.committedEntries);
    for (const read of ready.readStates) this.#release(read);
    if (ready.snapshotOffer !== undefined) this.#print('offer', describeOffer(ready.snapshotOffer));
    this.core.advance(ready);
  }

  #write(ready: Ready): void {
    const hardState = ready.hardState ?? this.#unwritten;
    this.#unwritten = undefined;
    this.disk.write({ entries: ready.entries, snapshot: ready.snapshot, hardState });
    if (ready.snapshot !== undefined) this.#appliedIndex = ready.snapshot.index;
    this.#surroundings.safety.checkLogs();
  }

  #send(act: 'send' | 'afterPersist', message: Message): void {
    this.#surroundings.safety.checkPromise(this, message);
    const isSent = this.#surroundings.send(message);
    this.#print(act, `${describeMessage(message)}${isSent ? '' : ' (lost)'}`);
  }

  #apply(entries: readonly Entry[]): void {
    this.#surroundings.safety.checkApply(this, entries);
    this.#appliedIndex = entries.at(-1)?.index ?? this.#appliedIndex;
    this.#print('apply', describeEntries(entries));
  }

  #release(read: ReadState): void {
    this.#surroundings.safety.checkRead(this, read);
    this.#print('read', `context=${read.context} index=${read.index}`);
  }

  #takeInFlight(): Ready {
    const ready = this.#inFlight;
    if (ready === undefined) throw new ScenarioMistake(`node ${this.id} has no write in flight`);
    this.#inFlight = undefined;
    return ready;
  }

  #print(act: string, detail: string): void {
    this.#surroundings.print(describeAct(this.id, act, detail));
  }
}

function describeOffer({ from, index }: SnapshotOffer): string {
  return `of ${from}, up to ${index}`;
}

function describeBatch({ hardState, entries, snapshot }: Ready): string {
  const parts = [];
  if (hardState !== undefined) parts.push(describeHardState(hardState));
  if (entries.length > 0) parts.push(`entries=[${describeEntries(entries)}]`);
  if (snapshot !== undefined) parts.push(`snapshot=[${describeSnapshot(snapshot)}]`);
  return parts.join(' ');
}
