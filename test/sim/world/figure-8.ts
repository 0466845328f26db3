import type { LogIndex, Term } from '../../../src/raft/index.ts';
import type { SimulatedMember } from './member.ts';
import type { World } from './world.ts';

/** How the play is told that it has to end early, and what it may do to members. */
export interface Stage {
  readonly world: World;
  isOver(): boolean;
  /** What it sent last is lost. The member comes back by itself after `downMs`. */
  crash(member: SimulatedMember, downMs: number): void;
  /** Nothing that is on its way from it, or that it sends until the returned function is called, arrives. */
  hush(member: SimulatedMember, forMs: number): () => void;
}

const stepMs = 0.5;
const patienceMs = 6000;
const downMs = 8000;

/**
 * Plays the crashes of the Raft paper's figure 8 in their order. The first leader has an entry that nobody else has, and
 * crashes. So does the second, once its first entry is on its own disk only. The first leads again and brings its old
 * entry to a quorum, but nothing newer, and crashes; then the second comes back and replaces that entry. Whoever counted
 * the old entry as committed has lost it.
 */
export async function playFigure8(stage: Stage): Promise<void> {
  const { world } = stage;
  const first = world.leader();
  if (first === undefined) return;
  const others = world.present.filter((member) => member !== first);
  world.tell(`figure 8: what ${first.id} appends from here on stays with it`);
  const hearFirst = stage.hush(first, patienceMs);
  const held = Math.max(...others.map(({ durable }) => durable.lastIndex));
  const old = held + 1;
  if (!(await holds(stage, () => first.durable.entry(old) !== undefined))) return;
  const oldTerm = first.durable.entry(old)?.term;
  stage.crash(first, downMs);
  hearFirst();

  const second = await elected(stage);
  if (second === undefined || second === first) return;
  const { term } = second.running?.replica.core ?? {};
  const hearSecond = stage.hush(second, downMs);
  if (!(await holds(stage, () => second.durable.entry(second.durable.lastIndex)?.term === term))) return;
  stage.crash(second, downMs);
  hearSecond();

  first.start();
  if ((await elected(stage)) !== first) return;
  const has = (member: SimulatedMember, index: LogIndex, ofTerm: Term | undefined): boolean =>
    member.durable.entry(index)?.term === ofTerm;
  const quorum = Math.floor(world.present.length / 2) + 1;
  const isSpread = (): boolean => world.present.filter((member) => has(member, old, oldTerm)).length >= quorum;
  if (!(await holds(stage, isSpread))) return;
  stage.hush(first, downMs);
  await pause(world, 100);
  if (stage.isOver()) return;
  stage.crash(first, downMs);
  second.start();
}

/** Waits until somebody begins to lead; undefined if that takes too long. */
function elected({ world }: Stage): Promise<SimulatedMember | undefined> {
  return new Promise((resolve) => {
    world.onElected = resolve;
    world.later(patienceMs, () => resolve(undefined));
  });
}

async function holds({ world, isOver }: Stage, condition: () => boolean): Promise<boolean> {
  const endMs = world.scheduler.nowMs + patienceMs;
  while (!isOver() && world.scheduler.nowMs < endMs) {
    if (condition()) return true;
    await pause(world, stepMs);
  }
  return false;
}

function pause(world: World, forMs: number): Promise<void> {
  return new Promise((resolve) => world.later(forMs, resolve));
}
