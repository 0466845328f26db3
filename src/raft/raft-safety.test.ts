import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestMember, TestNetwork } from './testing/network.ts';
import { NetworkSafety } from './testing/network-safety.ts';
import type { LogIndex, Message, Term } from './types.ts';

/** Set to begin at another seed, or to repeat one: `SAFETY_SEED=17 SAFETY_SEEDS=1`. */
const firstSeed = Number(process.env['SAFETY_SEED'] ?? 1);
const seeds = Number(process.env['SAFETY_SEEDS'] ?? 150);
const stepsPerSeed = 3_000;

/** Linearizable reads: an answer is not behind anything that was applied anywhere before the read was asked. */
class Reads {
  readonly #network: TestNetwork;
  readonly #floors = new Map<string, LogIndex>();
  #last = 0;
  answered = 0;

  constructor(network: TestNetwork) {
    this.#network = network;
  }

  ask(member: TestMember): void {
    const context = ++this.#last;
    const floor = Math.max(...[...this.#network.members.values()].map(({ applied }) => applied.length));
    if (member.core.requestReadIndex(context)) this.#floors.set(`${member.id} ${context}`, floor);
  }

  watch(member: TestMember): void {
    const { core } = member;
    const ready = core.ready.bind(core);
    core.ready = () => {
      const taken = ready();
      for (const { context, index } of taken.readStates) {
        const floor = this.#floors.get(`${member.id} ${context}`);
        assert.ok(floor !== undefined, `${member.id} was answered what it did not ask`);
        assert.ok(index >= floor, `stale read at ${member.id}: ${index}, and ${floor} was applied before it was asked`);
        this.answered++;
      }
      return taken;
    };
  }
}

interface Outcome {
  readonly applied: number;
  readonly answered: number;
  readonly leaders: number;
}

/** A random schedule of everything that can happen, and at the end quiet, in which all have to agree. */
function run(seed: number, readMode: 'quorum' | 'lease'): Outcome {
  const ids = ['1', '2', '3', '4', '5'].slice(0, 3 + (seed % 3));
  // In calm weather much gets done; in a storm members crash in the middle of their writes, and elections cross.
  const isStormy = seed % 4 < 2;
  const options = { electionTicks: 6, leaseDriftTicks: 2, inflightMessagesMax: 4, messageBytesMax: 40 };
  const commitNotice = seed % 2 === 0 ? 'asked' : 'prompt';
  const network = new TestNetwork(ids, { ...options, readMode, commitNotice }, seed);
  const { random } = network;
  const members = [...network.members.values()];
  const [safety, reads] = [new NetworkSafety(network), new Reads(network)];
  for (const member of members) reads.watch(member);
  const any = (): TestMember => members[random.below(members.length)] as TestMember;
  const terms = new Set<Term>();
  // Leases rely on clocks that run alike: then all members tick together, as often as messages need to arrive.
  const tickAll = readMode === 'lease';

  const deliverOne = (): void => {
    const position = random.below(2) === 0 ? 0 : random.below(Math.max(1, network.onTheirWay.length));
    const [message] = network.onTheirWay.splice(position, 1);
    if (message === undefined) return;
    const fate = random.below(100);
    if (fate < 6) return;
    if (fate < 12) network.onTheirWay.push(message);
    network.deliver(message);
  };
  const work = (member: TestMember): void => {
    if (!member.isUp) return;
    const leave = (messages: readonly Message[]): void => network.send(messages);
    if (member.isBusy) leave(member.finish());
    else if (member.core.hasReady()) leave(member.begin());
  };

  const disturb = (member: TestMember): void => {
    const trouble = random.below(8);
    if (trouble < 2 || (isStormy && member.isBusy)) member.crash();
    else if (trouble < 4) network.isolate(any().id);
    else if (trouble < 6) network.isolate();
    else if (trouble === 6) member.core.transferLeadership(any().id);
    else if (random.below(2) === 0) member.core.reportUnreachable(any().id);
    else member.core.stepDown();
  };

  for (let step = 0; step < stepsPerSeed; step++) {
    const member = any();
    const choice = random.below(100);
    if (choice < 45) deliverOne();
    else if (choice < 83) work(member);
    else if (choice < 87) {
      for (const one of tickAll ? members : [member]) if (one.isUp) one.core.tick();
    } else if (!member.isUp) {
      // Most of the time most are up, or nothing would get done.
      member.restart();
      reads.watch(member);
    } else if (choice < 92) member.core.propose([Buffer.from(`${seed}.${step}`)]);
    else if (choice < 96) reads.ask(member);
    else if (random.below(isStormy ? 2 : 6) === 0) disturb(member);
    if (choice === 0) member.core.tellCommit();
    if (member.isUp && member.core.role === 'leader') terms.add(member.core.term);
    safety.check();
  }

  network.isolate();
  for (const member of members) {
    if (member.isUp) continue;
    member.restart();
    reads.watch(member);
  }
  for (let tick = 0; tick < 60; tick++) {
    network.tick();
    safety.check();
  }
  const leader = members.find(({ core }) => core.role === 'leader');
  assert.ok(leader !== undefined, 'nobody leads in the end');
  network.propose(leader.id, 'the last');
  network.tick(3);
  safety.check();
  for (const { id, applied } of members) {
    assert.equal(applied.length, leader.log.lastIndex(), `${id} has not applied all in the end`);
  }
  return { applied: leader.applied.length, answered: reads.answered, leaders: terms.size };
}

for (const readMode of ['quorum', 'lease'] as const) {
  test(`raft: safety: loss, disorder, crashes, cuts, transfers: seeds ${firstSeed} to ${firstSeed + seeds - 1}, ${readMode} reads`, (t) => {
    const sum = { applied: 0, answered: 0, leaders: 0 };
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      try {
        const { applied, answered, leaders } = run(seed, readMode);
        sum.applied += applied;
        sum.answered += answered;
        sum.leaders += leaders;
      } catch (cause) {
        const what = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
        throw new Error(`SAFETY_SEED=${seed} SAFETY_SEEDS=1, ${readMode} reads: ${what}`, { cause });
      }
    }
    t.diagnostic(`${sum.applied} entries applied, ${sum.answered} reads answered, ${sum.leaders} leaderships`);
    // Schedules in which nothing happens would find nothing; a single one may be such.
    if (seeds < 50) return;
    assert.ok(sum.applied > 10 * seeds && sum.answered > seeds && sum.leaders > seeds, JSON.stringify(sum));
  });
}
