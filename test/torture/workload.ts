import { seededRandom } from '../../src/base/random.ts';
import { checkAgainstLog } from '../checking/against-log.ts';
import { checkEventLog, EventCollector, PastStates } from '../checking/event-log.ts';
import type { Operation } from '../checking/history.ts';
import { checkLinearizable, describeVerdict } from '../checking/linearizability.ts';
import { checkPastReads } from '../checking/past-reads.ts';
import { checkRevisions, describeFinding } from '../checking/revisions.ts';
import { checkLeases } from '../model/lease-checker.ts';
import { type EventLog, type SeenRevision, WatchChecker } from '../model/watch-checker.ts';
import { BankLoad, checkSums } from '../support/bank-load.ts';
import { Compactor } from '../support/compactor.ts';
import { HistoryLoad } from '../support/history-load.ts';
import { LeaseLoad } from '../support/lease-load.ts';
import { PastReader } from '../support/past-reader.ts';
import { eventually, type NodeProcess } from '../support/processes.ts';
import { RetryLoad } from '../support/retry-load.ts';
import { inTurn } from '../support/send.ts';
import { Watcher, type WatcherOptions } from '../support/watcher.ts';

/** After that time clients use other keys, so that no key's history gets too long to be searched. */
const generationMs = 4000;

/**
 * While members come and go there may be nobody to end a lease for a while; that none lives on for good shows in the end,
 * when all are there.
 */
const leaseAllowance = { lateMs: 60_000, perLeaderChange: 'fullTtl' } as const;
const leaseEndMsMax = 20_000;

/** Everything that clients do to a cluster at once, and the judgement of what they were told. */
export class Workload {
  readonly #nodes: readonly NodeProcess[];
  readonly #events = new EventCollector();
  readonly #history: HistoryLoad;
  readonly #bank: BankLoad;
  readonly #retries: RetryLoad;
  readonly #leases: LeaseLoad;
  readonly #compactor: Compactor;
  readonly #past: PastReader;
  /** Of everything: what one was not told another was. */
  readonly #recorders: readonly Watcher[];
  readonly #watchers: readonly Watcher[];

  constructor(nodes: readonly NodeProcess[], seed: number) {
    this.#nodes = nodes;
    const present = (): number => this.#events.collectedTo;
    this.#compactor = new Compactor(nodes, { present, everyMs: 200, seed: seed + 400 });
    this.#recorders = nodes.map((_, first) => this.#record(first));
    this.#history = new HistoryLoad(nodes, { clients: 4, keys: 6, seed, generationMs });
    this.#bank = new BankLoad(nodes, { clients: 3, seed: seed + 100, generationMs });
    this.#retries = new RetryLoad(nodes, { clients: 3, seed: seed + 200, restMs: 50 });
    // A node may sleep, and wake with a request that nobody waits for any more: one without an answer stays open.
    const openMs = Number.POSITIVE_INFINITY;
    this.#leases = new LeaseLoad(nodes, { clients: 4, seed: seed + 300, ttls: [2, 3, 5], renewalsMax: 8, openMs });
    const prefixes = ['bank/', 'retry/', 'history/', 'lease/'];
    this.#past = new PastReader(nodes, { prefixes, compactor: this.#compactor, present, seed: seed + 500 });
    this.#watchers = this.#watch(seed + 600);
  }

  /** Requests that were answered, for those who watch the run. */
  get requests(): number {
    return this.#operations().length + this.#retries.answered + this.#leases.renewals + this.#past.reads.length;
  }

  get counts(): ReadonlyMap<string, number> {
    const operations = this.#operations();
    const unknown = operations.filter(({ endMs }) => endMs === Number.POSITIVE_INFINITY).length;
    return new Map([
      ['requests answered', this.requests - unknown],
      ['requests of unknown outcome', unknown],
      ['transactions', this.#bank.history.filter(({ action }) => action.kind === 'txn').length],
      ['idempotent writes sent again', this.#retries.retries],
      ['leases', this.#leases.granted],
      ['compactions', this.#compactor.compactions],
      ['reads of the past', this.#past.reads.length],
      ['watches, begun or resumed', this.#allWatchers().reduce((sum, { parts }) => sum + parts, 0)],
      ['watches ended as compacted', this.#allWatchers().reduce((sum, { chains }) => sum + chains.length - 1, 0)],
    ]);
  }

  /** Once everything that was begun is answered; for that there has to be a quorum. */
  async stop(): Promise<void> {
    const loads = [this.#history, this.#bank, this.#retries, this.#leases, this.#past, this.#compactor];
    await Promise.all(loads.map((load) => load.stop()));
  }

  /** All leases are let go: they have to end now. */
  async untilLeasesEnd(): Promise<void> {
    await eventually('all leases have ended', leaseEndMsMax, async () => {
      const text = await this.#nodes[0]?.get('/v1/leases').then((answer) => answer.text());
      return (JSON.parse(text ?? '') as { leases: readonly unknown[] }).leases.length === 0;
    });
  }

  /** With the contents at the end, in which all nodes agree. */
  async judge(contents: ReadonlyMap<string, string>, revision: number): Promise<string | undefined> {
    await eventually('all watchers are told everything', 30_000, async () => {
      await Promise.all(this.#allWatchers().map((watcher) => watcher.until(revision)));
      return true;
    });
    const log = this.#events.log(this.#compactor.requested);
    const states = new PastStates(log);
    return (
      this.#judgeLog(log, states, contents) ??
      this.#judgeHistory(contents, states) ??
      this.#retries.check(states) ??
      checkPastReads(this.#past.reads, states) ??
      checkLeases(this.#leases.history(), leaseAllowance) ??
      this.#leases.check(log.revisions) ??
      this.#judgeWatchers(log)
    );
  }

  /** Ends the watches that nobody has waited for. */
  async leave(): Promise<void> {
    await Promise.all(this.#allWatchers().map((watcher) => watcher[Symbol.asyncDispose]()));
  }

  #judgeLog(log: EventLog, states: PastStates, contents: ReadonlyMap<string, string>): string | undefined {
    const wrong = checkEventLog(log);
    if (wrong !== undefined) return `The log of events: ${wrong}`;
    const last = states.range('', log.revision);
    if (last.length !== contents.size) return `${contents.size} keys are there, and ${last.length} by all events`;
    const missing = last.find(
      ({ key, modRevision }) => !contents.get(`${Buffer.from(key)}`)?.startsWith(`${modRevision} `),
    );
    return missing === undefined ? undefined : `${Buffer.from(missing.key)} is not there as of ${missing.modRevision}`;
  }

  #judgeHistory(contents: ReadonlyMap<string, string>, states: PastStates): string | undefined {
    const history = this.#operations();
    const wrong = checkSums(this.#bank.history) ?? checkAgainstLog(history, states);
    if (wrong !== undefined) return wrong;
    const atMs = performance.now();
    // What is there in the end is a last read of every key.
    for (const key of new Set(this.#history.history.map((operation) => operation.key))) {
      const found = contents.get(key);
      const value = found === undefined ? null : found.slice(found.indexOf(' ') + 1);
      history.push({ client: 0, key, action: { kind: 'get', value }, startMs: atMs, endMs: atMs + 1 });
    }
    const finding = checkRevisions(history);
    if (finding !== undefined) return describeFinding(finding);
    const verdict = checkLinearizable(history);
    return verdict.linearizable ? undefined : describeVerdict(verdict);
  }

  #judgeWatchers(log: EventLog): string | undefined {
    const checker = new WatchChecker(log);
    for (const [i, watcher] of this.#allWatchers().entries()) {
      for (const chain of watcher.chains) {
        const wrong = checker.checkResumed(chain);
        if (wrong !== undefined) return `Watcher ${i} (${watcher.name}): ${wrong}`;
      }
    }
    return undefined;
  }

  #record(first: number): Watcher {
    const onBatch = (batch: SeenRevision): void => {
      this.#events.add(batch);
      this.#leases.onBatch(batch);
    };
    const form = first % 2 === 0 ? 'application/x-ndjson' : 'text/event-stream';
    const compacted = (): number => this.#compactor.acknowledged;
    return new Watcher({
      nodes: inTurn(this.#nodes, first),
      target: { prefix: '' },
      form,
      revision: 2,
      compacted,
      onBatch,
    });
  }

  /** Of several things, in both forms, from all nodes, one that reads slowly, and one that comes and goes. */
  #watch(seed: number): readonly Watcher[] {
    const random = seededRandom(seed);
    const kinds: readonly Omit<WatcherOptions, 'nodes'>[] = [
      { target: { prefix: 'bank/' }, previous: true },
      { target: { prefix: 'history/' }, form: 'text/event-stream', previous: true },
      { target: { prefix: 'lease/' }, filter: 'put' },
      { target: { prefix: 'lease/' }, form: 'text/event-stream', filter: 'delete', previous: true },
      { target: { key: 'retry/counter' }, form: 'text/event-stream' },
      { target: { prefix: 'retry/' }, restMs: () => random.below(1500) },
      { target: { prefix: 'history/' }, leaves: { pieces: 20, awayMs: () => random.below(10_000) } },
    ];
    return kinds.map((kind, first) => {
      const nodes = inTurn(this.#nodes, first);
      return new Watcher({ ...kind, nodes, compacted: () => this.#compactor.acknowledged });
    });
  }

  #allWatchers(): readonly Watcher[] {
    return [...this.#recorders, ...this.#watchers];
  }

  #operations(): Operation[] {
    return [...this.#history.history, ...this.#bank.history];
  }
}
