import { assert } from '../../base/assert.ts';
import { type Random, seededRandom } from '../../base/random.ts';
import type { MemberId } from '../types.ts';
import { ScenarioCluster } from './scenario-cluster.ts';
import { runCommand } from './scenario-commands.ts';
import { Command } from './scenario-script.ts';

const stepsMax = 600;

/**
 * Plays commands by chance on a cluster drawn by chance: ticks, messages in any order, lost, doubled and late, cut
 * links, slow disks, crashes, transfers, reads. Safety is watched in every step, and in the end, when all nodes are up
 * and all links healed, there must be a leader and all must have applied the same.
 *
 * A walk that fails throws with its seed and with what it did, as a script: saved as a scenario it can be told.
 */
export function walk(seed: number): void {
  const script: string[] = [];
  const cluster = new ScenarioCluster();
  const run = (line: string): void => {
    script.push(line);
    runCommand(cluster, new Command(line));
  };
  try {
    const random = seededRandom(seed);
    const ids = addNodes(run, random, seed);
    const weather = pick(random, weathers);
    for (let step = 0; step < stepsMax; step++) {
      if (random.below(15) === 0) for (const line of takeCoup(cluster, ids, random)) run(line);
      const line = takeStep(cluster, pick(random, ids), ids, weather, random, step);
      if (line !== undefined) run(line);
    }
    settle(cluster, ids, run);
  } catch (cause) {
    const story = [...script, '----'].join('\n');
    throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : cause}\n\n${story}\n`, { cause });
  }
}

/** What can go wrong in a walk, and how often in a hundred steps. */
interface Weather {
  readonly crash: number;
  readonly loss: number;
  readonly cut: number;
  readonly slowDisk: number;
}

const weathers: readonly Weather[] = [
  { crash: 0, loss: 0, cut: 0, slowDisk: 2 },
  { crash: 2, loss: 0, cut: 0, slowDisk: 1 },
  { crash: 2, loss: 6, cut: 0, slowDisk: 1 },
  { crash: 2, loss: 3, cut: 3, slowDisk: 1 },
];

function addNodes(run: (line: string) => void, random: Random, seed: number): readonly MemberId[] {
  const voters = Array.from({ length: pick(random, [1, 2, 3, 3, 3, 4, 5, 5]) }, (_, i) => String(i + 1));
  const learners = random.below(4) === 0 ? [String(voters.length + 1)] : [];
  const ids = [...voters, ...learners];
  // Limits so small that they matter.
  const limits = [
    `inflight-messages=${pick(random, [1, 2, 4, 256])}`,
    `message-bytes=${pick(random, [1, 6, 1000])}`,
    `uncommitted-bytes=${pick(random, [10, 1000])}`,
    `committed-bytes=${pick(random, [1, 8, 1000])}`,
  ];
  run(`add-nodes ${ids.join(' ')} voters=(${voters}) learners=(${learners}) seed=${seed} ${limits.join(' ')}`);
  return ids;
}

/** The next command, or nothing if what was drawn does not fit the moment. */
function takeStep(
  cluster: ScenarioCluster,
  id: MemberId,
  ids: readonly MemberId[],
  weather: Weather,
  random: Random,
  step: number,
): string | undefined {
  const node = cluster.node(id);
  const other = pick(random, ids);
  const draw = drawer(random.below(100));
  if (draw(weather.crash))
    return node.isUp ? `crash ${id}${node.isWriting && other === id ? ' write=done' : ''}` : undefined;
  if (draw(weather.loss)) return `${pick(random, ['drop', 'duplicate', 'delay'])} number=${1 + random.below(4)}`;
  if (draw(weather.cut)) return `cut ${id}->${other}`;
  if (draw(weather.slowDisk)) return `hold-disk ${id}`;
  if (draw(2)) return 'heal';
  if (draw(2)) return `deliver-late number=${1 + random.below(4)}`;
  if (draw(2)) return 'stabilize';
  if (draw(8)) return `stabilize ${ids.filter(() => random.below(2) === 0).join(' ') || id}`;
  if (!node.isUp) return draw(10) ? `restart ${id}` : undefined;
  if (draw(4)) return `release-disk ${id}`;
  if (draw(8)) return node.isWriting ? `persist ${id}` : undefined;
  if (draw(20)) return node.hasWork ? `process-ready ${id}` : undefined;
  if (draw(6)) return `tick ${id} times=${pick(random, [1, 1, 2, 6])}`;
  if (draw(4)) return `campaign ${id}`;
  if (draw(8)) return `propose ${id} "${step}"`;
  if (draw(4)) return `read-index ${id} context=${step}`;
  if (draw(2)) return pick(random, [`step-down ${id}`, `transfer ${id} to=${other}`]);
  if (draw(1)) return `report-unreachable ${id} peer=${other}`;
  const messages = cluster.network.select({}).length;
  return messages > 0 ? `deliver number=${1 + random.below(pick(random, [1, messages]))}` : undefined;
}

/** Some nodes lose patience, one of them asks for votes, and they settle it among themselves; the others hear of it later. */
function takeCoup(cluster: ScenarioCluster, ids: readonly MemberId[], random: Random): readonly string[] {
  const up = ids.filter((id) => cluster.node(id).isUp && random.below(4) > 0);
  if (up.length === 0) return [];
  const some = up.join(' ');
  return [`tick ${some} times=5`, `campaign ${pick(random, up)}`, `stabilize ${some}`];
}

/** Everything that went wrong is over. Sixty ticks are twelve election timeouts: time for some split votes. */
function settle(cluster: ScenarioCluster, ids: readonly MemberId[], run: (line: string) => void): void {
  run('heal');
  for (const id of ids) run(cluster.node(id).isUp ? `release-disk ${id}` : `restart ${id}`);
  run(`release-disk ${ids.join(' ')}`);
  run('pass-time ticks=60');
  const leader = cluster.nodes().find(({ core }) => core.role === 'leader');
  assert(leader !== undefined, 'no leader in the end');
  run(`propose ${leader.id} "last"`);
  run(`read-index ${leader.id} context=${stepsMax}`);
  cluster.takeLines();
  run('pass-time ticks=5');
  assert(
    cluster.takeLines().some((line) => line.includes(`context=${stepsMax} `)),
    'the last read is not answered',
  );
  for (const { id, core } of cluster.nodes()) {
    assert(core.appliedIndex === leader.core.lastIndex, `${id} applied ${core.appliedIndex}, not all of it`);
  }
}

/** Asked with one share of a hundred after the other, says yes to the one that was drawn. */
function drawer(drawn: number): (share: number) => boolean {
  let left = drawn;
  return (share) => {
    left -= share;
    return left < 0 && left >= -share;
  };
}

function pick<T>(random: Random, choices: readonly T[]): T {
  const choice = choices[random.below(choices.length)];
  assert(choice !== undefined, 'nothing to choose from');
  return choice;
}
