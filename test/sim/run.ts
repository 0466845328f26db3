import { InvariantViolation } from '../../src/base/assert.ts';
import { checkLinearizable, describeVerdict } from '../checking/linearizability.ts';
import { checkRevisions, describeFinding } from '../checking/revisions.ts';
import { Violation } from './checks/violation.ts';
import type { Plan } from './plan.ts';
import type { SimulatedMember } from './world/member.ts';
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
  readonly entries: number;
}

/** A healed cluster has to be of one mind within that time. */
const convergenceMs = 30_000;
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
  const shuffled = chance.shuffled(world.members);
  const sound = shuffled.filter((member) => !member.isDamaged && !member.isSuspect);
  const majority = Math.floor(world.members.length / 2) + 1;
  const quorum = sound.slice(0, majority);
  return [...quorum, ...shuffled.filter((member) => !quorum.includes(member) && chance.happens(0.3))];
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
  nemesis.heal(world.members);
  const isEqual = (): boolean => {
    const applied = world.safety.appliedIndex;
    return world.members.every(
      ({ running, isSuspect, isDamaged }) => running?.state.store.appliedIndex === applied && !isSuspect && !isDamaged,
    );
  };
  await world.scheduler.runUntil(world.scheduler.nowMs + convergenceMs, isEqual);
  if (!isEqual()) {
    const states = world.members.map(({ id, running, isSuspect }) => {
      const state = running === undefined ? 'is down' : `applied ${running.state.store.appliedIndex}`;
      return `${id} ${state}${isSuspect ? ' and is suspect' : ''}`;
    });
    throw new Violation('convergence', `${convergenceMs} ms after all was healed: ${states.join(', ')}`);
  }
  const contents = await inWorld(world, Promise.all(world.members.map(contentOf)));
  for (const [i, content] of contents.entries()) {
    if (content === contents[0]) continue;
    throw new Violation(
      'convergence',
      `${world.members[i]?.id} holds ${content}, ${world.members[0]?.id} ${contents[0]}`,
    );
  }
  const reads = world.members.flatMap((member) =>
    Array.from({ length: world.plan.clients.keys }, (_, key) => world.clients.ask(2000, member, 'get', `k${key}`)),
  );
  await inWorld(world, Promise.all(reads));
}

/** Nobody keeps them alive any more: each has to end, and its keys with it. */
async function endLeases(world: World): Promise<void> {
  world.tell('leases run out');
  const isOver = (): boolean => world.members.every(({ running }) => running?.state.store.leases.size === 0);
  await world.scheduler.runUntil(world.scheduler.nowMs + leasesEndMs, isOver);
  if (isOver()) return;
  const left = world.members.map(({ id, running }) => `${id} has ${running?.state.store.leases.size ?? 'no store'}`);
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
  for (const { running } of world.members) {
    const view = running?.state.store.readView();
    if (view === undefined) continue;
    const { kvs, count } = await inWorld(world, view.list(request, 1e9));
    world.model.note({ request: { ...request, revision: view.revision }, kvs, count });
    await inWorld(world, view.close());
  }
}

/** An assertion that fails outside of a turn of the driver would end the process, as an exception that nobody catches. */
function violationOf(reason: unknown): Violation {
  if (reason instanceof Violation) return reason;
  if (reason instanceof InvariantViolation) return new Violation('member invariant', reason.stack ?? reason.message);
  throw reason;
}

/** Lets the world go on until that is there. */
async function inWorld<T>(world: World, promise: Promise<T>): Promise<T> {
  let isDone = false;
  void promise.finally(() => {
    isDone = true;
  });
  await world.scheduler.runUntil(world.scheduler.nowMs + convergenceMs, () => isDone);
  if (!isDone) throw new Violation('liveness', 'a healed cluster does not answer');
  return promise;
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
    entries: world.safety.appliedIndex,
  };
}
