import type { Promotion } from '../../src/contract/members.ts';
import type { RaftLimits } from '../../src/replica/index.ts';
import { Chance } from './world/chance.ts';
import type { DiskSpeed } from './world/disk.ts';
import type { Weather } from './world/network.ts';

/** One thing that goes wrong, at `atMs`. Members are numbered from 0. Durations are in milliseconds. */
export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'crash'; readonly member: number; readonly downMs: number; readonly again: number | undefined }
  | { readonly kind: 'crashAll'; readonly downMs: readonly number[] }
  | { readonly kind: 'stop'; readonly member: number; readonly downMs: number }
  | { readonly kind: 'pause'; readonly member: number; readonly forMs: number }
  | { readonly kind: 'slow'; readonly member: number; readonly forMs: number; readonly turnMs: number }
  | { readonly kind: 'clockRate'; readonly member: number; readonly forMs: number; readonly rate: number }
  | { readonly kind: 'clockJump'; readonly member: number; readonly byMs: number }
  | { readonly kind: 'cut'; readonly links: readonly (readonly [number, number])[]; readonly forMs: number }
  | { readonly kind: 'isolateLeader'; readonly direction: 'out' | 'in' | 'both'; readonly forMs: number }
  | { readonly kind: 'flap'; readonly member: number; readonly everyMs: number; readonly times: number }
  | { readonly kind: 'weather'; readonly weather: Weather; readonly forMs: number }
  | { readonly kind: 'diskSpeed'; readonly member: number; readonly speed: DiskSpeed; readonly forMs: number }
  | { readonly kind: 'diskHang'; readonly member: number; readonly forMs: number }
  | { readonly kind: 'diskFull'; readonly member: number; readonly forMs: number }
  | { readonly kind: 'writeFails'; readonly member: number; readonly what: 'log' | 'data' | 'receipt' }
  | { readonly kind: 'damage'; readonly member: number; readonly damage: Damage; readonly downMs: number }
  | { readonly kind: 'olderCopy'; readonly member: number; readonly ageMs: number; readonly downMs: number }
  | { readonly kind: 'transfer' }
  /** It is stopped, or dies, and is started with the present version. */
  | { readonly kind: 'upgrade'; readonly member: number; readonly how: 'stop' | 'crash'; readonly downMs: number }
  /** Somebody takes one; the last that came to its end is restored when the run is over. */
  | { readonly kind: 'backup'; readonly member: number }
  /** What was sent to the leader shortly before it is cut off arrives long after: answers to what is over by then. */
  | { readonly kind: 'latePost'; readonly sentMs: number; readonly forMs: number }
  /** See `playFigure8`. */
  | { readonly kind: 'figure8' }
  /**
   * A minority lags behind, then one of those who kept up loses its log, and a little later the leader is gone: the
   * laggards can win only with the vote of the one that forgot.
   */
  | { readonly kind: 'amnesia'; readonly lagMs: number; readonly healMs: number; readonly downMs: number }
  | Change
);

/** What an operator does to the cluster. `startMs`: how long after that a machine is started. */
export type Change =
  | { readonly kind: 'addMember'; readonly promote: Promotion; readonly startMs: number }
  | { readonly kind: 'promoteLearner' }
  /** `backMs`: it is started again then, with its directory, or with the one that it had at the beginning. */
  | {
      readonly kind: 'removeMember';
      readonly whom: 'leader' | 'any' | 'learner';
      readonly backMs: number | undefined;
      readonly comesBackWith: 'what it had' | 'an older copy';
    }
  /** Machine and disk are lost; `removeMs` later it is removed, and another one added in its place. */
  | { readonly kind: 'replaceMember'; readonly member: number; readonly removeMs: number; readonly startMs: number }
  | { readonly kind: 'updateMember'; readonly member: number }
  | { readonly kind: 'moveLeader'; readonly member: number }
  /** Somebody is added, and as soon as that is in the leader's log nobody hears it any more: another's entry takes its place. */
  | { readonly kind: 'loseChange'; readonly forMs: number }
  /** As soon as a snapshot is on its way, and then that much later: whoever fetches it crashes, or gives it. */
  | {
      readonly kind: 'cutTransfer';
      readonly whose: 'receiver' | 'sender';
      readonly afterMs: number;
      readonly downMs: number;
    };

/** What is found when a member comes back. */
export type Damage =
  | 'log tail'
  | 'log middle'
  | 'log bit'
  | 'log gone'
  | 'log older'
  | 'data tail'
  | 'data middle'
  | 'data gone'
  | 'receipt gone';

export interface ClientPlan {
  readonly count: number;
  readonly keys: number;
  /** Requests of all clients together; then they rest. */
  readonly operationsMax: number;
  readonly thinkMaxMs: number;
  readonly timeoutMs: number;
  /** A client stops waiting after that time; the request goes on without it. */
  readonly patienceMs: number;
}

/** What is done beside single keys. */
export interface StorePlan {
  /** Clients of everything that the store can do. */
  readonly clients: number;
  readonly operationsMax: number;
  readonly watchers: number;
  /** Clients that hold leases. */
  readonly keepers: number;
}

/** All that happens in one run, as data: whoever shrinks a failing run leaves things out. */
export interface Plan {
  readonly seed: number;
  readonly members: number;
  /** Those that run the version of before, to begin with; by number. */
  readonly oldMembers: readonly number[];
  /** Length of the safety phase. */
  readonly safetyMs: number;
  /** Within that time a healthy quorum has to serve requests. */
  readonly livenessMs: number;
  readonly heartbeatIntervalMs: number;
  readonly electionTimeoutMs: number;
  readonly weather: Weather;
  readonly diskSpeed: DiskSpeed;
  readonly usesFrames: boolean;
  readonly limits: RaftLimits;
  readonly logCacheBytes: number;
  readonly flushIntervalMs: number;
  readonly watchStepChanges: number;
  /** See `Config`: small ones make members that were away need snapshots. */
  readonly snapshotCount: number;
  readonly clients: ClientPlan;
  readonly store: StorePlan;
  readonly faults: readonly Fault[];
}

type ChangeKind = Change['kind'];
type FaultKind = Exclude<Fault['kind'], ChangeKind | 'backup' | 'upgrade'>;

/** How many members runs without a wish have, by weight. */
const memberWeights = { 3: 12, 5: 5, 1: 1, 2: 1, 4: 1, 7: 1 } as const;

/** A run may be calm or wild, and of one trouble or of many; so each kind is drawn again for each run. */
const faultWeights: Readonly<Record<FaultKind, number>> = {
  crash: 10,
  crashAll: 2,
  stop: 2,
  pause: 4,
  slow: 2,
  clockRate: 2,
  clockJump: 2,
  cut: 8,
  isolateLeader: 6,
  flap: 2,
  weather: 4,
  diskSpeed: 3,
  diskHang: 3,
  diskFull: 1,
  writeFails: 2,
  damage: 4,
  olderCopy: 1,
  transfer: 3,
  latePost: 3,
  figure8: 2,
  amnesia: 4,
};

const changeWeights: Readonly<Record<ChangeKind, number>> = {
  addMember: 8,
  promoteLearner: 3,
  removeMember: 6,
  replaceMember: 4,
  updateMember: 2,
  moveLeader: 3,
  cutTransfer: 5,
  loseChange: 2,
};

/** How many of the runs change their members. */
const changingShare = 0.3;

/** In how many of the runs some members run the version of before. */
const mixedShare = 0.15;

/** In how many of the runs backups are taken. */
const backupShare = 0.25;

const damageWeights: Readonly<Record<Damage, number>> = {
  'log tail': 4,
  'log middle': 2,
  'log bit': 2,
  'log gone': 2,
  'log older': 2,
  'data tail': 2,
  'data middle': 2,
  'data gone': 1,
  'receipt gone': 1,
};

/** What a run is to be like, whatever its seed says. */
export interface Wishes {
  /** How many found the cluster. */
  readonly members?: number | undefined;
  /** Members come and go. */
  readonly membersChange?: boolean | undefined;
  /** Some begin with the version of before. */
  readonly mixedVersions?: boolean | undefined;
}

/** The run that belongs to a seed. */
export function planOf(seed: number, wishes: Wishes = {}): Plan {
  const chance = new Chance(seed).of('plan');
  const members = wishes.members ?? Number(chance.weighted(memberWeights));
  const safetyMs = chance.between(10_000, 30_000);
  const heartbeatIntervalMs = 100;
  const limits = chance.happens(0.5) ? drawLimits(chance) : {};
  const changing = new Chance(seed).of('changes of members');
  const changesMembers = wishes.membersChange ?? changing.happens(changingShare);
  const changes = changesMembers ? drawChanges(changing.of('what'), safetyMs) : [];
  const backups = drawBackups(new Chance(seed).of('backups'), members, safetyMs);
  const mixing = new Chance(seed).of('versions');
  const oldMembers = (wishes.mixedVersions ?? mixing.happens(mixedShare)) ? drawOld(mixing.of('who'), members) : [];
  const upgrades = drawUpgrades(mixing.of('when'), oldMembers, safetyMs);
  const faults = [...drawFaults(chance, members, safetyMs), ...changes, ...backups, ...upgrades].sort(
    (a, b) => a.atMs - b.atMs,
  );
  // An old entry and the newer one behind it have to arrive one by one.
  const needsShortMessages = faults.some(({ kind }) => kind === 'figure8');
  return {
    seed,
    members,
    oldMembers,
    safetyMs,
    livenessMs: 20_000,
    heartbeatIntervalMs,
    electionTimeoutMs: 1000,
    weather: drawWeather(chance, chance.happens(0.3) ? 'bad' : 'fair'),
    diskSpeed: { minMs: 0.1, maxMs: chance.pick([1, 5, 20]) },
    usesFrames: chance.happens(0.2),
    limits: needsShortMessages ? { ...limits, messageBytesMax: 1 } : limits,
    logCacheBytes: chance.pick([0, 2_000, 1_000_000]),
    flushIntervalMs: chance.pick([50, 2000]),
    watchStepChanges: chance.pick([1, 5, 1000]),
    // Members of before take no snapshots: such a cluster has to keep its log as long as they may need it.
    snapshotCount: Math.max(chance.pick([5, 50, 10_000]), oldMembers.length > 0 ? 10_000 : 0),
    clients: drawClients(chance),
    store: {
      clients: chance.below(4),
      operationsMax: 20 + chance.below(120),
      watchers: chance.below(4),
      keepers: chance.below(4),
    },
    faults,
  };
}

function drawClients(chance: Chance): ClientPlan {
  return {
    count: 1 + chance.below(8),
    keys: 1 + chance.below(4),
    operationsMax: 40 + chance.below(260),
    thinkMaxMs: chance.pick([20, 200, 1000]),
    timeoutMs: chance.pick([300, 2000, 5000]),
    patienceMs: chance.pick([100, 1000, 10_000]),
  };
}

function drawLimits(chance: Chance): RaftLimits {
  return {
    messageBytesMax: chance.pick([1, 60, 1_000_000]),
    inflightMessagesMax: chance.pick([1, 3, 256]),
    committedBytesMax: chance.pick([1, 200, 1_000_000]),
  };
}

function drawWeather(chance: Chance, kind: 'fair' | 'bad'): Weather {
  if (kind === 'fair') return { loss: 0, duplication: 0, delayMinMs: 0.1, delayMaxMs: chance.pick([1, 5, 50]) };
  return {
    loss: chance.pick([0, 0.02, 0.1, 0.3]),
    duplication: chance.pick([0, 0.05, 0.5]),
    delayMinMs: 0.1,
    delayMaxMs: chance.pick([5, 50, 400, 4000]),
  };
}

function drawFaults(chance: Chance, members: number, safetyMs: number): readonly Fault[] {
  const weights = drawFaultWeights(chance, members);
  const meanGapMs = chance.pick([500, 1500, 4000]);
  const faults: Fault[] = [];
  // The first leader is let in office, mostly: before that there is little to break.
  for (let atMs = chance.between(0, 4000); atMs < safetyMs; atMs += chance.between(0, 2 * meanGapMs)) {
    faults.push(drawFault(chance, members, atMs, chance.weighted(weights)));
  }
  return faults;
}

function drawFaultWeights(chance: Chance, members: number): Readonly<Record<FaultKind, number>> {
  const kinds = Object.keys(faultWeights) as FaultKind[];
  const share = chance.pick([0.2, 0.5, 1]);
  const drawn = kinds.map((kind) => [
    kind,
    chance.happens(share) && !isSenseless(kind, members) ? faultWeights[kind] : 0,
  ]);
  return { ...(Object.fromEntries(drawn) as Record<FaultKind, number>), crash: faultWeights.crash };
}

/** There is nobody to be cut off from, or to be healed by: a lone member whose disk is damaged refuses to start. */
function isSenseless(kind: FaultKind, members: number): boolean {
  if (members === 1)
    return [
      'cut',
      'isolateLeader',
      'flap',
      'weather',
      'damage',
      'olderCopy',
      'transfer',
      'amnesia',
      'latePost',
      'figure8',
    ].includes(kind);
  return members === 2 && ['damage', 'olderCopy', 'amnesia', 'figure8'].includes(kind);
}

function drawFault(chance: Chance, members: number, atMs: number, kind: FaultKind): Fault {
  const member = chance.below(members);
  const forMs = chance.skewed(50, 8000);
  const downMs = chance.skewed(20, 8000);
  switch (kind) {
    case 'crash':
      return { kind, atMs, member, downMs, again: chance.happens(0.25) ? chance.skewed(0.1, 30) : undefined };
    case 'crashAll':
      return { kind, atMs, downMs: Array.from({ length: members }, () => chance.skewed(20, 4000)) };
    case 'stop':
      return { kind, atMs, member, downMs };
    case 'pause':
      return { kind, atMs, member, forMs };
    case 'slow':
      return { kind, atMs, member, forMs, turnMs: chance.pick([5, 30, 150]) };
    case 'clockRate':
      return { kind, atMs, member, forMs: 2 * forMs, rate: chance.pick([0.8, 0.9, 1.1, 1.25]) };
    case 'clockJump':
      return { kind, atMs, member, byMs: chance.pick([100, 5000, 3_600_000]) };
    case 'cut':
      return { kind, atMs, forMs, links: drawCut(chance, members) };
    case 'isolateLeader':
      return { kind, atMs, forMs, direction: chance.pick(['out', 'in', 'both'] as const) };
    case 'flap':
      return { kind, atMs, member, everyMs: chance.pick([50, 300, 1200]), times: 2 + chance.below(8) };
    case 'weather':
      return { kind, atMs, forMs, weather: drawWeather(chance, 'bad') };
    case 'diskSpeed':
      return { kind, atMs, member, forMs, speed: { minMs: 1, maxMs: chance.pick([50, 500, 3000]) } };
    case 'diskHang':
      return { kind, atMs, member, forMs };
    case 'diskFull':
      return { kind, atMs, member, forMs };
    case 'writeFails':
      return { kind, atMs, member, what: chance.pick(['log', 'data', 'receipt'] as const) };
    case 'damage':
      return { kind, atMs, member, downMs, damage: chance.weighted(damageWeights) };
    case 'olderCopy':
      return { kind, atMs, member, downMs, ageMs: chance.between(200, 6000) };
    case 'transfer':
      return { kind, atMs };
    case 'latePost':
      return { kind, atMs, sentMs: chance.between(50, 500), forMs: chance.between(2000, 6000) };
    case 'figure8':
      return { kind, atMs };
    case 'amnesia':
      return { kind, atMs, lagMs: 300 + forMs / 2, healMs: chance.skewed(1, 400), downMs: 500 + downMs };
  }
}

function drawChanges(chance: Chance, safetyMs: number): readonly Fault[] {
  const meanGapMs = chance.pick([800, 2000, 5000]);
  const changes: Fault[] = [];
  for (let atMs = chance.between(1000, 5000); atMs < safetyMs; atMs += chance.between(0, 2 * meanGapMs)) {
    changes.push({ atMs, ...drawChange(chance, chance.weighted(changeWeights)) });
  }
  return changes;
}

function drawOld(chance: Chance, members: number): readonly number[] {
  const share = chance.pick([0.3, 0.7, 1]);
  return Array.from({ length: members }, (_, member) => member).filter(() => chance.happens(share));
}

/** One after the other, or a few at once; some only when the run is over. */
function drawUpgrades(chance: Chance, members: readonly number[], safetyMs: number): readonly Fault[] {
  const endMs = chance.pick([0.5, 0.9, 1.3]) * safetyMs;
  return members.map((member) => {
    const how = chance.pick(['stop', 'stop', 'crash'] as const);
    return { kind: 'upgrade', atMs: chance.between(2000, endMs), member, how, downMs: chance.skewed(20, 3000) };
  });
}

function drawBackups(chance: Chance, members: number, safetyMs: number): readonly Fault[] {
  if (!chance.happens(backupShare)) return [];
  return Array.from({ length: 1 + chance.below(4) }, () => {
    return { kind: 'backup', atMs: chance.between(2000, safetyMs), member: chance.below(members) } as const;
  });
}

function drawChange(chance: Chance, kind: ChangeKind): Change {
  const member = chance.below(12);
  const startMs = chance.skewed(0, 6000);
  switch (kind) {
    case 'addMember':
      return { kind, promote: chance.happens(0.75) ? 'auto' : 'manual', startMs };
    case 'promoteLearner':
      return { kind };
    case 'removeMember':
      return {
        kind,
        whom: chance.pick(['leader', 'any', 'any', 'learner'] as const),
        backMs: chance.happens(0.5) ? chance.skewed(100, 8000) : undefined,
        comesBackWith: chance.pick(['what it had', 'an older copy'] as const),
      };
    case 'replaceMember':
      return { kind, member, removeMs: chance.skewed(0, 4000), startMs };
    case 'updateMember':
    case 'moveLeader':
      return { kind, member };
    case 'loseChange':
      return { kind, forMs: chance.between(1500, 5000) };
    case 'cutTransfer':
      return {
        kind,
        whose: chance.pick(['receiver', 'receiver', 'sender'] as const),
        afterMs: chance.skewed(0, 60),
        downMs: chance.skewed(20, 3000),
      };
  }
}

/** One member cut off, a split in two, a ring of blind links, or any mask of directed links. */
function drawCut(chance: Chance, members: number): readonly (readonly [number, number])[] {
  const all = Array.from({ length: members }, (_, i) => i);
  const links = all.flatMap((from) => all.filter((to) => to !== from).map((to) => [from, to] as const));
  const inside = new Set(chance.shuffled(all).slice(0, 1 + chance.below(Math.max(1, members - 1))));
  const crosses = ([from, to]: readonly [number, number]): boolean => inside.has(from) !== inside.has(to);
  switch (chance.pick(['split', 'oneWay', 'mask', 'bridge'] as const)) {
    case 'split':
      return links.filter(crosses);
    case 'oneWay':
      return links.filter(([from, to]) => inside.has(from) && !inside.has(to));
    case 'mask':
      return links.filter(() => chance.happens(0.4));
    case 'bridge': {
      // One member still reaches both sides.
      const bridge = chance.below(members);
      return links.filter((link) => crosses(link) && !link.includes(bridge));
    }
  }
}
