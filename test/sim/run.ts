import { isDeepStrictEqual } from 'node:util';
import { InvariantViolation } from '../../src/base/assert.ts';
import { isOlder } from '../../src/base/software-version.ts';
import { checkLinearizable, describeVerdict } from '../checking/linearizability.ts';
import { checkRevisions, describeFinding } from '../checking/revisions.ts';
import { checkRestore } from './checks/restore-check.ts';
import { Violation } from './checks/violation.ts';
import { convergenceMs, inWorld } from './in-world.ts';
import type { Plan } from './plan.ts';
import { currentSoftware, type SimulatedMember } from './world/member.ts';
import { Nemesis } from './world/nemesis.ts';
import { World } from './world/world.ts';

/** What came of a run. */
export interface Outcome {
  readonly plan: Plan;
  /** Of everything that happened; see `Trace`. */
  readonly hash: string;
  readonly violation: Violation | undefined;
  /** The end of the story, if there was a violation. */
  readonly story: readonly string[];
  readonly account: Account;
}

/** What was done in a run, or in many. */
export interface Account {
  readonly runs: number;
  readonly clusterSeconds: number;
  readonly events: number;
  readonly messages: number;
  readonly operations: number;
  readonly unknown: number;
  readonly refused: number;
  readonly faults: number;
  readonly terms: number;
  /** Configurations that were committed. */
  readonly configurations: number;
  /** How often a member was talked to that had not been heard of. */
  readonly introductions: number;
  /** Backups that were restored. */
  readonly restores: number;
  readonly entries: number;
}

const storyLines = 60;
/** The longest TTL, what a slow clock makes of it, and a failover or two. */
const leasesEndMs = 30_000;

/**
 * One run: a safety phase, in which anything may go wrong; a liveness phase, in which a quorum is healed and must make
 * progress while the rest stays as broken as it is; and then everything is healed and has to become equal. At the end
 * what the clients were told is checked.
 */
export async function run(plan: Plan): Promise<Outcome> {
  const world = new World(plan);
  const nemesis = new Nemesis(world);
  let violation: Violation | undefined;
  try {
    for (const member of world.members) member.start();
    world.clients.start();
    world.storeClients.start();
    world.watchClients.start();
    world.leaseClients.start();
    await world.scheduler.runUntil(plan.safetyMs);
    nemesis.end();
    world.clients.rest();
    world.storeClients.rest();
    world.leaseClients.rest();
    await makeProgress(world, nemesis);
    await converge(world, nemesis);
    await endLeases(world);
    await finishWatches(world);
    await noteContents(world);
    if (world.backups.last !== undefined) await checkRestore(world, world.backups.last);
    checkHistory(world);
    world.model.checkLists();
    world.leaseClients.check();
    world.watchClients.check();
  } catch (reason) {
    violation = violationOf(reason);
  }
  return {
    plan,
    hash: world.trace.hash,
    violation,
    story: violation === undefined ? [] : world.story.last(storyLines),
    account: accountOf(world, nemesis),
  };
}

async function makeProgress(world: World, nemesis: Nemesis): Promise<void> {
  const quorum = chooseQuorum(world);
  const names = quorum.map(({ id }) => id).join(' ');
  world.tell(`from here on ${names} are healthy and reach each other`);
  world.supervised.clear();
  for (const member of quorum) world.supervised.add(member);
  nemesis.heal(quorum);
  let isServed = false;
  // Through some member of it: one that a leader outside of the quorum cannot reach has nobody to ask.
  const served = (): void => {
    isServed = true;
  };
  for (const member of quorum) void insist(world, member, () => isServed, served);
  const { livenessMs } = world.plan;
  await world.scheduler.runUntil(world.scheduler.nowMs + livenessMs, () => isServed);
  if (!isServed) throw new Violation('liveness', `${names} are healthy and served nothing for ${livenessMs} ms`);
}

/** A majority of members that forgot nothing, and perhaps others beside it. */
function chooseQuorum(world: World): readonly SimulatedMember[] {
  const chance = world.chance.of('quorum');
  const shuffled = chance.shuffled(world.present);
  const sound = shuffled.filter(({ id }) => !world.isLost(id));
  const quorum = new Set<SimulatedMember>();
  const { safety, operator } = world;
  for (const { voters, votersOutgoing, learners, learnersNext } of safety.possibleConfigurations()) {
    for (const half of [voters, votersOutgoing]) {
      const majority = Math.floor(half.length / 2) + 1;
      const deciding = sound.filter(({ id }) => half.includes(id));
      const some = deciding.slice(0, majority);
      // Who is removed while this lasts must not be missed.
      for (const member of operator.mayBeRemoving ? deciding : some) quorum.add(member);
    }
    // They may be voters soon.
    for (const member of shuffled) if ([...learners, ...learnersNext].includes(member.id)) quorum.add(member);
  }
  return [...quorum, ...shuffled.filter((member) => !quorum.has(member) && chance.happens(0.3))];
}

/** Writes and reads at that member until both have been answered, or nobody cares any more. */
async function insist(world: World, member: SimulatedMember, isOver: () => boolean, done: () => void): Promise<void> {
  const client = 1000 + world.members.indexOf(member);
  for (const kind of ['put', 'get'] as const) {
    // A key of its own: many writes of unknown outcome make the search for a linearization long.
    while (!(await world.clients.ask(client, member, kind, `last${member.id}`))) {
      if (isOver()) return;
      await new Promise<void>((resolve) => world.later(200, resolve));
    }
  }
  done();
}

async function converge(world: World, nemesis: Nemesis): Promise<void> {
  world.tell('everything is healed');
  for (const member of world.members) world.supervised.add(member);
  for (const member of world.present.filter(({ isOld }) => isOld)) {
    member.crash();
    member.software = currentSoftware;
  }
  // Those that were removed come back as well, to be told so.
  nemesis.heal(world.members);
  await tidyUp(world);
  const isEqual = (): boolean => whatIsUnequal(world).length === 0;
  await world.scheduler.runUntil(world.scheduler.nowMs + convergenceMs, isEqual);
  if (!isEqual()) {
    throw new Violation('convergence', `${convergenceMs} ms after all was healed: ${whatIsUnequal(world).join(', ')}`);
  }
  world.operator.check();
  const { present } = world;
  const contents = await inWorld(world.scheduler, Promise.all(present.map(contentOf)));
  for (const [i, content] of contents.entries()) {
    if (content === contents[0]) continue;
    throw new Violation('convergence', `${present[i]?.id} holds ${content}, ${present[0]?.id} ${contents[0]}`);
  }
  const reads = present.flatMap((member) =>
    Array.from({ length: world.plan.clients.keys }, (_, key) => world.clients.ask(2000, member, 'get', `k${key}`)),
  );
  await inWorld(world.scheduler, Promise.all(reads));
}

/** Machines that are lost are removed, and who was added is started. */
async function tidyUp(world: World): Promise<void> {
  const { operator } = world;
  const untilMs = world.scheduler.nowMs + convergenceMs;
  // Until then nobody can say who the members are.
  await world.scheduler.runUntil(untilMs, () => world.present.some(({ running }) => running !== undefined));
  while (world.scheduler.nowMs < untilMs) {
    const lost = operator.table().filter(({ id }) => world.members.some((one) => one.id === id && one.isDestroyed));
    for (const { id, name } of operator.table()) {
      if (!world.members.some((member) => member.id === id)) world.join(id, name).start();
    }
    const [first] = lost;
    if (first === undefined && !operator.mayBeRemoving) return;
    if (first !== undefined) await inWorld(world.scheduler, operator.remove(first.id));
    await world.scheduler.runUntil(world.scheduler.nowMs + 300);
  }
}

/** What is not yet as it has to be when nothing is broken any more. */
function whatIsUnequal(world: World): readonly string[] {
  const { safety, operator, network } = world;
  const wrong: string[] = [];
  for (const { id, running } of world.members) {
    if (running === undefined || !safety.isRemoved(id)) continue;
    // Of those that it knows, somebody may tell it.
    const known = world.present.filter((member) => network.addressesAt(id)?.has(member.id));
    if (known.length > 0) wrong.push(`${id} was removed, and runs`);
  }
  const table = operator.table();
  for (const { id, name } of table) {
    if (!world.members.some((member) => member.id === id)) wrong.push(`${id} (${name}) was never started`);
  }
  const { voters, votersOutgoing, learners } = safety.configuration;
  if (votersOutgoing.length > 0) wrong.push('the configuration is joint');
  for (const { id, promote } of table) {
    if (!(promote === undefined ? voters : learners).includes(id)) wrong.push(`${id} has another role than it should`);
    if (promote === 'auto') wrong.push(`${id} is not promoted`);
  }
  for (const { id, running, isSuspect, isDamaged } of world.present) {
    if (running === undefined) wrong.push(`${id} is down`);
    else if (running.state.store.appliedIndex !== safety.appliedIndex) {
      wrong.push(`${id} applied ${running.state.store.appliedIndex} of ${safety.appliedIndex}`);
    }
    if (running !== undefined && isOlder(running.state.store.clusterVersion, currentSoftware)) {
      wrong.push(`${id} has agreed on ${running.state.store.clusterVersion}`);
    }
    // One whose entry was replaced must not be left over.
    if (
      running !== undefined &&
      !isDeepStrictEqual(running.replica.core.status().configuration, safety.configuration)
    ) {
      wrong.push(`${id} goes by another configuration than what is committed`);
    }
    if (isSuspect) wrong.push(`${id} is suspect`);
    if (isDamaged) wrong.push(`${id} lacks what it lost`);
    const addresses = network.addressesAt(id);
    const others = table.filter((other) => other.id !== id);
    const isUpToDate =
      others.length === addresses?.size && others.every((other) => isSame(addresses.get(other.id), other.peerUrls));
    if (!isUpToDate) wrong.push(`${id} does not know where all others are`);
  }
  return wrong;
}

function isSame(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a?.join(' ') === b.join(' ');
}

/** Nobody keeps them alive any more: each has to end, and its keys with it. */
async function endLeases(world: World): Promise<void> {
  world.tell('leases run out');
  const isOver = (): boolean => world.present.every(({ running }) => running?.state.store.leases.size === 0);
  await world.scheduler.runUntil(world.scheduler.nowMs + leasesEndMs, isOver);
  if (isOver()) return;
  const left = world.present.map(({ id, running }) => `${id} has ${running?.state.store.leases.size ?? 'no store'}`);
  throw new Violation('lease', `${leasesEndMs} ms after the last renewal there are leases: ${left.join(', ')}`);
}

async function finishWatches(world: World): Promise<void> {
  world.watchClients.hurry();
  const { revision } = world.model.model;
  const haveSeen = (): boolean => world.watchClients.haveSeen(revision);
  await world.scheduler.runUntil(world.scheduler.nowMs + convergenceMs, haveSeen);
  if (!haveSeen()) throw new Violation('watch', `a watcher was not told of everything up to revision ${revision}`);
  world.watchClients.stop();
  await world.scheduler.runUntil(world.scheduler.nowMs + 1000);
}

/** What the members hold in the end has to be what the model does. */
async function noteContents(world: World): Promise<void> {
  const all = { start: new Uint8Array(), end: undefined };
  const request = { range: all, limit: 0, keysOnly: false, countOnly: false, sort: 'key', order: 'asc' } as const;
  for (const { running } of world.present) {
    const view = running?.state.store.readView();
    if (view === undefined) continue;
    const { kvs, count } = await inWorld(world.scheduler, view.list(request, 1e9));
    world.model.note({ request: { ...request, revision: view.revision }, kvs, count });
    await inWorld(world.scheduler, view.close());
  }
}

/** An assertion that fails outside of a turn of the driver would end the process, as an exception that nobody catches. */
function violationOf(reason: unknown): Violation {
  if (reason instanceof Violation) return reason;
  if (reason instanceof InvariantViolation) return new Violation('member invariant', reason.stack ?? reason.message);
  throw reason;
}

async function contentOf({ running }: SimulatedMember): Promise<string> {
  if (running === undefined) return 'nothing: it is down';
  const view = running.state.store.readView();
  const range = { start: new Uint8Array(), end: undefined };
  const { kvs } = await view.page(range, { limit: 0, bytesMax: 1e9, keysOnly: false });
  await view.close();
  const told = kvs.map(({ key, value, createRevision, modRevision, version }) =>
    [Buffer.from(key), Buffer.from(value), createRevision, modRevision, version].join(':'),
  );
  return `revision ${view.revision} ${told.join(' ')}`;
}

function checkHistory({ clients }: World): void {
  clients.close();
  const verdict = checkLinearizable(clients.history);
  if (!verdict.linearizable) throw new Violation('linearizability', describeVerdict(verdict));
  const finding = checkRevisions(clients.history);
  if (finding !== undefined) throw new Violation('revision order', describeFinding(finding));
}

function accountOf(world: World, nemesis: Nemesis): Account {
  return {
    runs: 1,
    clusterSeconds: world.scheduler.nowMs / 1000,
    events: world.scheduler.count,
    messages: world.messages,
    operations: world.clients.counts.answered,
    unknown: world.clients.counts.unknown,
    refused: world.clients.counts.refused,
    faults: [...nemesis.counts.values()].reduce((sum, count) => sum + count, 0),
    terms: world.safety.terms,
    configurations: world.safety.configurations,
    introductions: world.introductions,
    restores: world.backups.last === undefined ? 0 : 1,
    entries: world.safety.appliedIndex,
  };
}
