import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberRecord } from '../mvcc/index.ts';
import { type Configuration, emptyConfiguration, type MemberId, membersOf, type RaftStatus } from '../raft/index.ts';
import type { Peer } from '../transport/index.ts';
import { PeerList, removedAtStart } from './peer-list.ts';

class World {
  configuration: Configuration = { ...emptyConfiguration, voters: ['1', '2', '3'] };
  /** Of configurations that would be in effect again if what is not committed were replaced. */
  formerMembers: readonly MemberId[] = [];
  isPending = false;
  members: readonly MemberRecord[] = ['1', '2', '3'].map(member);
  removedMembers: ReadonlySet<string> = new Set();
  told: { readonly peers: readonly string[]; readonly removed: readonly string[] } | undefined;
  readonly list: PeerList;

  constructor() {
    const told = (peers: readonly Peer[], removed: ReadonlySet<string>): void => {
      this.told = { peers: peers.map(({ id, urls }) => `${id} ${urls[0] ?? ''}`), removed: [...removed] };
    };
    const world = this;
    this.list = new PeerList({
      memberId: '1',
      core: {
        status: () =>
          ({
            configuration: this.configuration,
            members: [...new Set([...this.formerMembers, ...membersOf(this.configuration)])],
            pendingConfiguration: this.isPending ? { index: 7, configuration: this.configuration } : undefined,
          }) as unknown as RaftStatus,
      },
      store: {
        get members() {
          return world.members;
        },
        get removedMembers() {
          return world.removedMembers;
        },
      },
      transport: { setPeers: told },
    });
  }
}

function member(id: string): MemberRecord {
  return { id, name: `node${id}`, peerUrls: [`http://node${id}:2380`], clientUrls: [], version: '' };
}

test('peers: the members of the table but oneself', () => {
  const world = new World();
  world.list.onMembersChange();
  assert.deepEqual(world.told, { peers: ['2 http://node2:2380', '3 http://node3:2380'], removed: [] });
});

test('peers: one that is removed is talked to until its vote is needed no more, and told only then', () => {
  const world = new World();
  world.list.onMembersChange();
  world.members = world.members.filter(({ id }) => id !== '3');
  world.removedMembers = new Set(['3']);
  world.configuration = { ...emptyConfiguration, voters: ['1', '2'], votersOutgoing: ['1', '2', '3'] };
  world.isPending = true;
  world.list.onMembersChange();
  assert.deepEqual(world.told, { peers: ['2 http://node2:2380', '3 http://node3:2380'], removed: [] });
  world.configuration = { ...emptyConfiguration, voters: ['1', '2'] };
  world.isPending = false;
  world.list.onTick();
  assert.deepEqual(world.told, { peers: ['2 http://node2:2380'], removed: ['3'] });
});

test('peers: one in the log that is not yet in the table has no address, and is not dialed nowhere', () => {
  const world = new World();
  world.configuration = { ...emptyConfiguration, voters: ['1', '2', '3', '4'] };
  world.isPending = true;
  world.list.onMembersChange();
  assert.deepEqual(world.told?.peers, ['2 http://node2:2380', '3 http://node3:2380']);
});

test('peers: a member that joins keeps those it was told of until its store has some', () => {
  const world = new World();
  world.members = [];
  world.list.onMembersChange();
  assert.equal(world.told, undefined);
});

test('peers: a member that was removed itself knows when nobody needs it', () => {
  const world = new World();
  world.members = world.members.filter(({ id }) => id !== '1');
  world.removedMembers = new Set(['1']);
  world.configuration = { ...emptyConfiguration, voters: ['2', '3'], votersOutgoing: ['1', '2', '3'] };
  world.isPending = true;
  world.list.onMembersChange();
  assert.equal(world.list.isRemoved, false);
  world.configuration = { ...emptyConfiguration, voters: ['2', '3'] };
  world.isPending = false;
  world.list.onTick();
  assert.equal(world.list.isRemoved, true);
});

test('peers: one that is removed is not told so while the configuration without it may be replaced', () => {
  const world = new World();
  world.list.onMembersChange();
  world.members = world.members.filter(({ id }) => id !== '3');
  world.removedMembers = new Set(['3']);
  // The log holds the entry that leaves the joint configuration, and others may never get it.
  world.configuration = { ...emptyConfiguration, voters: ['1', '2'] };
  world.formerMembers = ['1', '2', '3'];
  world.isPending = true;
  world.list.onMembersChange();
  assert.deepEqual(world.told, { peers: ['2 http://node2:2380', '3 http://node3:2380'], removed: [] });
});

test('peers: an address that was changed is dialed without a change of the configuration', () => {
  const world = new World();
  world.list.onMembersChange();
  world.members = world.members.map((one) => (one.id === '2' ? { ...one, peerUrls: ['http://moved:2380'] } : one));
  world.list.onTick();
  assert.deepEqual(world.told?.peers, ['2 http://moved:2380', '3 http://node3:2380']);
});

test('peers: a member that was restarted while another is being removed told it so, though its vote was needed', () => {
  const joint = { ...emptyConfiguration, voters: ['1', '2'], votersOutgoing: ['1', '2', '3'] };
  const left = { ...emptyConfiguration, voters: ['1', '2'] };
  const hardState = { term: 1, vote: '1', commit: 7 };
  const store = { removedMembers: new Set(['3', '9']), appliedIndex: 7 };
  const configurations = [
    { index: 0, configuration: { ...emptyConfiguration, voters: ['1', '2', '3'] } },
    { index: 7, configuration: joint },
  ];
  const told = (commit: number, entries = configurations): readonly string[] => [
    ...removedAtStart({ log: { hardState: { ...hardState, commit }, configurations: () => entries }, store }),
  ];
  assert.deepEqual(told(7), ['9']);
  const ended = [...configurations, { index: 8, configuration: left }];
  assert.deepEqual(told(7, ended), ['9'], 'the entry that leaves it may be replaced');
  assert.deepEqual(told(8, ended), ['3', '9']);
});
