import { type Random, seededRandom } from '../../src/base/random.ts';
import { agreedContents } from '../support/contents.ts';
import { eventually, type NodeProcess, ProcessCluster } from '../support/processes.ts';
import { damageJournal, receiptQuietMs } from './damage.ts';
import { LinkProxy, Links } from './link-proxy.ts';
import { DiskCopy, memberIdOf, removeMember, wipe } from './machine.ts';
import { SmallDisk } from './small-disk.ts';
import { Workload } from './workload.ts';

export interface TortureOptions {
  readonly members: number;
  readonly durationMs: number;
  readonly seed: number;
  /** Faults come that many times as often as in a long run. */
  readonly haste: number;
  /** Machines are lost and replaced, and come back with what they had before. */
  readonly replaces: boolean;
  /** It goes on until each of these has happened, four times as long at most: a slow machine does less. Names of `counts`. */
  readonly happens?: readonly string[];
  readonly say: (line: string) => void;
}

/** Everything that was done, and how it ended. */
export interface TortureResult {
  /** What clients did, and then what was done to the members. */
  readonly counts: ReadonlyMap<string, number>;
  /** Why it failed, and where the data is; undefined if nothing was wrong. */
  readonly failure: string | undefined;
}

/** Mean times between two faults of a kind, in milliseconds. */
const everyMs = {
  kill: 9_000,
  killAll: 90_000,
  pause: 14_000,
  cut: 9_000,
  isolate: 20_000,
  delay: 25_000,
  reset: 8_000,
  damage: 18_000,
  fullDisk: 60_000,
  transfer: 12_000,
  replace: 20_000,
  olderCopy: 50_000,
} as const;

type FaultKind = keyof typeof everyMs;

const smallDiskMegabytes = 256;
/** With other members down now and then, a removal may have to wait. */
const replacementMs = 60_000;
/** For whoever is broken to be healed. */
const turnMs = 30_000;
/** How much older a copy is. */
const copyAgeMs = 3000;
/** A damaged member has to be a full one again within that time, whatever else goes on. */
const healingMs = 60_000;

/** Real processes under load, while everything that can go wrong does; then they are healed and must agree. */
export async function torture(options: TortureOptions): Promise<TortureResult> {
  const links = new Links();
  const proxies = await Promise.all(Array.from({ length: options.members }, () => LinkProxy.listen(links)));
  const cluster = await ProcessCluster.prepare(
    options.members,
    [],
    proxies.map(({ port }) => port),
  );
  const [firstNode] = cluster.nodes;
  const disk = firstNode && SmallDisk.mount(firstNode.spec.dataDir, smallDiskMegabytes);
  try {
    const run = new Torture(options, cluster, proxies, links, disk);
    await run.begin();
    const result = await run.finish();
    await cluster.killAll();
    if (result.failure !== undefined) {
      return { ...result, failure: `${result.failure}\n\nThe data and the logs are in ${cluster.keepDirectories()}` };
    }
    // What has failed is left mounted, too: it would be gone.
    disk?.[Symbol.dispose]();
    return result;
  } finally {
    await cluster[Symbol.asyncDispose]();
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
}

class Torture {
  readonly #options: TortureOptions;
  readonly #cluster: ProcessCluster;
  readonly #proxies: readonly LinkProxy[];
  readonly #links: Links;
  readonly #disk: SmallDisk | undefined;
  readonly #random: Random;
  readonly #counts = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #paused = new Set<NodeProcess>();
  readonly #endings = new Set<() => void>();
  /** Who is down on purpose, and who is being damaged or healed. */
  readonly #down = new Set<NodeProcess>();
  #damaged: NodeProcess | undefined;
  /** Nothing else goes wrong meanwhile. */
  #isQuiet = false;
  #failure: string | undefined;
  #isOver = false;
  #end: () => void = () => undefined;
  /** Resolves when no more faults happen: whatever waits, waits no longer. */
  readonly #ended = new Promise<void>((resolve) => {
    this.#end = resolve;
  });
  readonly #loops: Promise<void>[] = [];
  #workload: Workload | undefined;

  constructor(
    options: TortureOptions,
    cluster: ProcessCluster,
    proxies: readonly LinkProxy[],
    links: Links,
    disk: SmallDisk | undefined,
  ) {
    this.#options = options;
    this.#cluster = cluster;
    this.#proxies = proxies;
    this.#links = links;
    this.#disk = disk;
    this.#random = seededRandom(options.seed);
  }

  async begin(): Promise<void> {
    const { nodes } = this.#cluster;
    // Without knowing each other's ids the links cannot be told apart, but everything passes.
    for (const [i, proxy] of this.#proxies.entries()) proxy.forwardTo(nodes[i]?.spec.peerPort ?? 0, `unknown ${i}`);
    for (const node of nodes) node.start();
    await this.#cluster.ready();
    for (const [i, node] of nodes.entries()) {
      const { memberId } = (await (await node.get('/v1/status')).json()) as { memberId: string };
      this.#ids.push(memberId);
      this.#proxies[i]?.forwardTo(node.spec.peerPort, memberId);
    }
    for (const [i, proxy] of this.#proxies.entries())
      for (const id of this.#ids) if (id !== this.#ids[i]) proxy.resetFrom(id);
    this.#workload = new Workload(nodes, this.#options.seed);
    for (const kind of Object.keys(everyMs) as FaultKind[]) {
      if (this.#options.replaces || (kind !== 'replace' && kind !== 'olderCopy')) this.#loops.push(this.#repeat(kind));
    }
    this.#loops.push(this.#supervise());
    await this.#report();
  }

  /** Heals everything, and looks at what was told and at what is there. */
  async finish(): Promise<TortureResult> {
    this.#isOver = true;
    this.#end();
    await Promise.all(this.#loops);
    for (const end of [...this.#endings]) end();
    this.#links.heal();
    this.#disk?.free();
    for (const node of this.#paused) node.signal('SIGCONT');
    // Whatever was sent until it is answered needs a quorum for that.
    for (const node of this.#cluster.nodes) if (!node.isRunning) node.start();
    await this.#workload?.stop();
    const failure = this.#failure ?? (await this.#judge());
    await this.#workload?.leave();
    return { counts: this.#allCounts(), failure };
  }

  #allCounts(): ReadonlyMap<string, number> {
    return new Map([...(this.#workload?.counts ?? []), ...this.#counts]);
  }

  #hasHappened(): boolean {
    const counts = this.#allCounts();
    return (this.#options.happens ?? []).every((what) => (counts.get(what) ?? 0) > 0);
  }

  async #judge(): Promise<string | undefined> {
    const { nodes } = this.#cluster;
    try {
      await this.#cluster.ready(60_000);
      for (const node of nodes) await this.#healed(node, 30_000);
      await this.#workload?.untilLeasesEnd();
      const { values, revision } = await agreedContents(nodes);
      return await this.#workload?.judge(values, revision);
    } catch (reason) {
      return `The cluster did not recover: ${describe(reason)}`;
    }
  }

  async #report(): Promise<void> {
    const startedMs = performance.now();
    const { durationMs, say } = this.#options;
    const leftMs = (): number => startedMs + durationMs - performance.now();
    const goesOn = (): boolean => leftMs() > 0 || (leftMs() > -3 * durationMs && !this.#hasHappened());
    while (goesOn() && this.#failure === undefined) {
      await sleep(Math.max(1000, Math.min(10_000, leftMs())));
      const faults = [...this.#counts].map(([name, count]) => `${count} ${name}`).join(', ');
      const down = [...this.#down].map(({ spec }) => spec.name).join(' ');
      const seconds = ((performance.now() - startedMs) / 1000).toFixed();
      say(`${seconds} s · ${this.#workload?.requests} requests · ${faults}${down === '' ? '' : ` · down: ${down}`}`);
    }
  }

  async #repeat(kind: FaultKind): Promise<void> {
    const meanMs = everyMs[kind] / this.#options.haste;
    while (!this.#isOver) {
      await this.#rest((0.3 + (1.4 * this.#random.below(1000)) / 1000) * meanMs);
      if (this.#isOver) return;
      if (this.#isQuiet) continue;
      try {
        await this.#strike(kind);
      } catch (reason) {
        if (!this.#isOver) this.#failure ??= `${kind}: ${describe(reason)}`;
      }
    }
  }

  /** A member that stopped by itself is started again, unless somebody else will. */
  async #supervise(): Promise<void> {
    while (!this.#isOver) {
      await this.#rest(300);
      for (const node of this.#cluster.nodes) {
        if (this.#isOver || node.isRunning || this.#down.has(node)) continue;
        this.#count('restarts after a member stopped by itself');
        node.start();
      }
    }
  }

  async #strike(kind: FaultKind): Promise<void> {
    switch (kind) {
      case 'kill':
        return this.#kill(this.#anyNode());
      case 'killAll':
        await Promise.all(this.#cluster.nodes.map((node) => this.#kill(node)));
        return;
      case 'pause':
        return this.#pause(this.#anyNode());
      case 'cut': {
        const [from, to] = this.#anyLink();
        this.#count('cuts of one direction');
        this.#links.set(from, to, { isCut: true });
        return this.#during(300, 5000, () => this.#links.set(from, to, { isCut: false }));
      }
      case 'isolate':
        return this.#isolate();
      case 'delay': {
        const [from, to] = this.#anyLink();
        this.#count('delays');
        this.#links.set(from, to, { delayMs: 20 + this.#random.below(300) });
        return this.#during(1000, 8000, () => this.#links.set(from, to, { delayMs: 0 }));
      }
      case 'reset': {
        const [from, to] = this.#anyLink();
        const broken = this.#proxies[this.#ids.indexOf(to)]?.resetFrom(from) ?? 0;
        if (broken > 0) this.#count('resets in mid-frame');
        return;
      }
      case 'damage':
        return this.#damage();
      case 'fullDisk':
        return this.#fillDisk();
      case 'transfer':
        return this.#transfer();
      case 'replace':
        return this.#replace();
      case 'olderCopy':
        return this.#bringBackOlderCopy();
    }
  }

  async #transfer(): Promise<void> {
    const [asked, to] = [this.#anyNode(), this.#anyNode()];
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(5000),
    };
    const body = JSON.stringify({ to: this.#idOf(to) });
    const answer = await fetch(`${asked.url}/v1/cluster/leader`, { ...request, body }).catch(() => undefined);
    if (answer?.ok) this.#count('leadership transfers');
  }

  /**
   * A member is removed, while it runs or because its disk is gone, and a new one takes its place on the same machine. One
   * that comes back empty before that must not start as if nothing had been.
   */
  async #replace(): Promise<void> {
    const node = await this.#claimSoon();
    if (node === undefined) return;
    const others = this.#othersOf(node);
    const id = this.#idOf(node);
    const how = this.#random.below(3);
    if (how === 0) {
      await removeMember(id, others, replacementMs);
      await eventually(`${node.spec.name} ends, as it was removed`, replacementMs, async () => !node.isRunning);
      this.#count('members removed while they ran');
    } else {
      await node.kill();
      wipe(node.spec.dataDir);
      if (how === 1) await this.#refusesToStartEmpty(node);
      await removeMember(id, others, replacementMs);
      this.#count('members whose disk was lost');
    }
    wipe(node.spec.dataDir);
    node.joinBy(others.map(({ url }) => url));
    this.#startAgain(node);
    const joined = await memberIdOf(node, replacementMs);
    const index = this.#cluster.nodes.indexOf(node);
    this.#ids[index] = joined;
    this.#proxies[index]?.forwardTo(node.spec.peerPort, joined);
    for (const other of others) this.#proxies[this.#cluster.nodes.indexOf(other)]?.resetFrom(joined);
    this.#proxies[index]?.resetAll();
    await this.#votes(node);
    this.#count('members replaced');
    this.#damaged = undefined;
  }

  /** Somebody has to be there to tell it. */
  async #refusesToStartEmpty(node: NodeProcess): Promise<void> {
    await this.#quietly(this.#othersOf(node), async () => {
      node.start();
      await eventually(`${node.spec.name} refuses to start without its data`, 20_000, async () => !node.isRunning);
      const { code } = await node.exited();
      if (code !== 1) throw new Error(`${node.spec.name} ended with ${code} when its data was gone`);
      this.#count('members that came back empty, and did not start');
    });
  }

  /** Only the leader that it has promised something to can notice that: so it has to stay. */
  async #bringBackOlderCopy(): Promise<void> {
    const node = await this.#claimSoon();
    if (node === undefined) return;
    await node.kill();
    const copy = new DiskCopy(node.spec.dataDir);
    node.start();
    await sleep(copyAgeMs);
    await this.#quietly(this.#cluster.nodes, async () => {
      await this.#leadElsewhere(node);
      await sleep(2 * receiptQuietMs);
      await node.kill();
      copy.restore();
      this.#count('disks that came back as older copies');
      this.#startAgain(node);
      await this.#healed(node, healingMs);
    });
    this.#damaged = undefined;
  }

  async #leadElsewhere(node: NodeProcess): Promise<void> {
    await eventually(`another one than ${node.spec.name} leads`, 20_000, async () => {
      const { state } = (await (await node.get('/v1/status', 1000)).json()) as { state: string };
      if (state !== 'leader') return true;
      await fetch(`${node.url}/v1/cluster/leader`, { method: 'POST', signal: AbortSignal.timeout(5000) });
      return false;
    });
  }

  async #votes(node: NodeProcess): Promise<void> {
    await eventually(`${node.spec.name} votes`, replacementMs, async () => {
      const answer = await node.get('/v1/cluster', 1000);
      const { members } = (await answer.json()) as { members: readonly { id: string; role: string }[] };
      return members.find(({ id }) => id === this.#idOf(node))?.role === 'voter';
    });
  }

  /** One that runs, and that nobody else breaks or starts again until `#startAgain`; one at a time. */
  #claim(): NodeProcess | undefined {
    const node = this.#anyNode();
    if (this.#damaged !== undefined || this.#down.has(node) || !node.isRunning || this.#paused.has(node))
      return undefined;
    this.#damaged = node;
    this.#down.add(node);
    return node;
  }

  /** Others are broken more often: without waiting for its turn it would never come. */
  async #claimSoon(): Promise<NodeProcess | undefined> {
    const endMs = performance.now() + turnMs;
    while (!this.#isOver && performance.now() < endMs) {
      const node = this.#isQuiet ? undefined : this.#claim();
      if (node !== undefined) return node;
      await this.#rest(50);
    }
    return undefined;
  }

  /** With these up, and with nothing cut or stopped. */
  async #quietly(nodes: readonly NodeProcess[], act: () => Promise<void>): Promise<void> {
    this.#isQuiet = true;
    try {
      for (const end of [...this.#endings]) end();
      for (const node of nodes) {
        await eventually(`${node.spec.name} is ready`, replacementMs, async () => (await node.get('/readyz', 1000)).ok);
      }
      await act();
    } finally {
      this.#isQuiet = false;
    }
  }

  #othersOf(node: NodeProcess): readonly NodeProcess[] {
    return this.#cluster.nodes.filter((other) => other !== node);
  }

  #idOf(node: NodeProcess): string {
    return this.#ids[this.#cluster.nodes.indexOf(node)] ?? '';
  }

  async #kill(node: NodeProcess): Promise<void> {
    if (!node.isRunning || this.#down.has(node)) return;
    this.#down.add(node);
    this.#paused.delete(node);
    this.#count('SIGKILLs');
    await node.kill();
    await this.#rest(this.#random.below(4000));
    this.#startAgain(node);
  }

  #startAgain(node: NodeProcess): void {
    this.#down.delete(node);
    if (!node.isRunning) node.start();
  }

  async #pause(node: NodeProcess): Promise<void> {
    if (!node.isRunning || this.#paused.has(node)) return;
    this.#paused.add(node);
    this.#count('pauses');
    node.signal('SIGSTOP');
    await this.#during(200, 8000, () => {
      this.#paused.delete(node);
      node.signal('SIGCONT');
    });
  }

  async #isolate(): Promise<void> {
    const member = this.#ids[this.#random.below(this.#ids.length)] ?? '';
    const set = (isCut: boolean): void => {
      for (const other of this.#ids) {
        if (other === member) continue;
        this.#links.set(member, other, { isCut });
        this.#links.set(other, member, { isCut });
      }
    };
    this.#count('members cut off');
    set(true);
    await this.#during(500, 6000, () => set(false));
  }

  /**
   * One member at a time: it is cut off until its receipt has caught up, killed, its journal is damaged, and it has to
   * become a full member again by itself before the next one is damaged.
   */
  async #damage(): Promise<void> {
    const node = this.#claim();
    if (node === undefined) return;
    const id = this.#idOf(node);
    const others = this.#ids.filter((other) => other !== id);
    for (const other of others) this.#links.set(other, id, { isCut: true });
    await this.#rest(receiptQuietMs);
    await node.kill();
    for (const other of others) this.#links.set(other, id, { isCut: false });
    const kind = this.#random.below(4) === 0 ? 'data' : 'log';
    const done = damageJournal(node.spec.dataDir, kind, this.#random);
    if (done !== undefined) {
      this.#count('damaged journals');
      this.#options.say(`${node.spec.name}: ${done}`);
    }
    this.#startAgain(node);
    await Promise.race([this.#healed(node, healingMs), this.#ended]);
    this.#damaged = undefined;
  }

  /** Until the member takes part in full; it may be killed and paused meanwhile. */
  async #healed(node: NodeProcess, timeoutMs: number): Promise<void> {
    await eventually(`${node.spec.name} is a full member again`, timeoutMs, async () => {
      const status = (await (await node.get('/v1/status', 1000)).json()) as {
        errors: readonly string[];
        leader?: string;
      };
      return status.errors.length === 0;
    });
  }

  async #fillDisk(): Promise<void> {
    const [node] = this.#cluster.nodes;
    if (this.#disk === undefined || node === undefined || this.#damaged !== undefined) return;
    this.#damaged = node;
    this.#count('full disks');
    this.#disk.fill();
    await this.#during(1000, 6000, () => this.#disk?.free());
    await Promise.race([this.#healed(node, healingMs), this.#ended]);
    this.#damaged = undefined;
  }

  /** Waits a time between the two, or until everything is over, and then ends the fault. */
  async #during(lowMs: number, highMs: number, end: () => void): Promise<void> {
    const endOnce = (): void => {
      if (this.#endings.delete(endOnce)) end();
    };
    this.#endings.add(endOnce);
    await this.#rest(lowMs + this.#random.below(highMs - lowMs));
    endOnce();
  }

  #rest(ms: number): Promise<void> {
    return Promise.race([sleep(ms), this.#ended]);
  }

  #anyNode(): NodeProcess {
    return this.#cluster.node(this.#random.below(this.#cluster.nodes.length));
  }

  #anyLink(): [from: string, to: string] {
    const from = this.#random.below(this.#ids.length);
    const to = (from + 1 + this.#random.below(this.#ids.length - 1)) % this.#ids.length;
    return [this.#ids[from] ?? '', this.#ids[to] ?? ''];
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function describe(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  return reason.cause === undefined ? reason.message : `${reason.message} (${describe(reason.cause)})`;
}
