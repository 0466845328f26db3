import { bytes } from './kv-steps.ts';
import * as m from './methods.ts';
import type { Step } from './step.ts';

const id = 7_587_862_094_293_345n;
const largest = 2n ** 63n - 1n;
/** Beyond what a JavaScript number tells exactly. */
const odd = 2n ** 53n + 1n;
const key = bytes('l/a');

/** Leases, locks, elections, members, maintenance, authentication. */
export function otherSteps(): readonly Step[] {
  return [...leases(), ...locks(), ...elections(), ...maintenance(), ...auth()];
}

function leases(): Step[] {
  return [
    m.leases('none', {}),
    m.grant('with an id', { id, ttl: 100 }),
    m.grant('with the same id again', { id, ttl: 100 }),
    m.grant('with the largest id', { id: largest, ttl: 1000 }),
    m.grant('with an id beyond 2^53', { id: odd, ttl: 1000 }),
    m.grant('without an id', { ttl: 500 }, { own: ['id'] }),
    m.grant('without time', { id: 12 }),
    m.grant('with negative time', { id: 13, ttl: -5 }),
    m.grant('with the shortest time', { id: 14, ttl: 1 }),
    m.grant('with the longest time', { id: 15, ttl: 9_000_000_000 }),
    m.grant('with too long a time', { id: 16, ttl: 9_000_000_001 }),
    m.put('with a lease', { key, value: bytes('v'), lease: id }),
    m.put('with a lease, another key', { key: bytes('l/b'), value: bytes('v'), lease: id }),
    m.put('with the largest lease', { key: bytes('l/c'), value: bytes('v'), lease: largest }),
    m.range('keys with leases', { key: bytes('l/'), rangeEnd: bytes('l0') }),
    m.put('the lease stays', { key, value: bytes('w'), ignoreLease: true, prevKv: true }),
    m.range('the lease stayed', { key }),
    m.txn('compared with its lease', { compare: [{ key, target: 4, result: 0, lease: id }], success: [] }),
    m.txn('put with a lease, in a transaction', { success: [{ requestPut: { key: bytes('l/d'), lease: odd } }] }),
    m.timeToLive('of a lease', { id }, { own: ['ttl'] }),
    m.timeToLive('of a lease, with its keys', { id, keys: true }, { own: ['ttl'] }),
    m.timeToLive('of the largest lease, with its keys', { id: largest, keys: true }, { own: ['ttl'] }),
    m.timeToLive('of the longest lease', { id: 15, keys: true }, { own: ['ttl'] }),
    m.timeToLive('of one that is not there', { id: 4711, keys: true }),
    m.timeToLive('of none', {}),
    m.keepAlive('of a lease', { id }),
    m.keepAlive('of an id beyond 2^53', { id: odd }),
    m.keepAlive('of one that is not there', { id: 4711 }),
    m.put('without the lease', { key: bytes('l/b'), value: bytes('free') }),
    m.timeToLive('a key fewer', { id, keys: true }, { own: ['ttl'] }),
    m.revoke('a lease with a key', { id }),
    m.revoke('the same again', { id }),
    m.revoke('one without keys', { id: 15 }),
    m.revoke('none', {}),
    m.range('its keys are gone', { key: bytes('l/'), rangeEnd: bytes('l0') }),
    m.leases('some', {}, { own: ['leases'] }),
  ];
}

function locks(): Step[] {
  const name = bytes('lock');
  const lease = odd;
  return [
    m.lockLock('with a lease', { name, lease }),
    m.lockLock('again with the same lease', { name, lease }),
    m.range('its key', { key: bytes('lock/'), rangeEnd: bytes('lock0') }),
    m.lockLock('with a lease that is not there', { name, lease: 4711 }),
    m.unlock('by its key', { key: Buffer.concat([name, bytes(`/${lease.toString(16)}`)]) }),
    m.unlock('again', { key: Buffer.concat([name, bytes(`/${lease.toString(16)}`)]) }),
    m.unlock('without a key', {}),
    m.lockLock('without a lease', { name: bytes('lock without') }, { own: ['key'] }),
  ];
}

function elections(): Step[] {
  const name = bytes('election');
  const lease = odd;
  const electionKey = Buffer.concat([name, bytes(`/${lease.toString(16)}`)]);
  return [
    m.leader('before there is one', { name }),
    m.campaign('the first', { name, lease, value: bytes('me') }),
    m.leader('who leads', { name }),
    // Etcd's header is that of before the new value.
    m.campaign('again, with another value', { name, lease, value: bytes('I') }, { own: ['revision'] }),
    m.leader('what it says now', { name }),
    m.proclaim('without a leader', { value: bytes('v') }),
    m.proclaim('by somebody else', { leader: { name, key: electionKey, rev: 1, lease }, value: bytes('v') }),
    m.campaign('with a lease that is not there', { name, lease: 4711 }),
    m.resign('without a leader', {}),
    m.resign('by somebody else', { leader: { name, key: electionKey, rev: 1, lease } }),
    m.leader('who still leads', { name }),
  ];
}

function maintenance(): Step[] {
  const own = [
    ...['version', 'dbSize', 'leader', 'raftIndex', 'raftTerm', 'raftAppliedIndex', 'dbSizeInUse', 'isLearner'],
    ...['storageVersion', 'dbSizeQuota', 'downgradeInfo'],
  ];
  return [
    m.status('of the only member', {}, { own }),
    m.memberList('of the only member', {}, { own: ['id', 'peerUrls', 'clientUrls', 'revision'] }),
    // Etcd 3.4 gives alarms without a header.
    m.alarm('get: none', { action: 0 }, { own: ['header'] }),
    m.alarm('get of one kind: none', { action: 0, alarm: 1 }, { own: ['header'] }),
    m.alarm('deactivate: none', { action: 2, alarm: 1 }, { own: ['header'] }),
    m.defragment('at once', {}, { own: ['header'] }),
    m.hashKv('now', {}, { own: ['hash', 'compactRevision', 'hashRevision'] }),
    m.hashKv('of what is compacted', { revision: 3 }),
    m.hashKv('of what is to come', { revision: 100_000 }),
  ];
}

function auth(): Step[] {
  return [
    m.authDisable('although it is not enabled', {}),
    m.authEnable('without root', {}),
    m.authenticate('although it is not enabled', { name: 'root', password: 'secret' }),
    m.userList('none', {}),
    m.userGet('absent', { name: 'nobody' }),
    m.userDelete('absent', { name: 'nobody' }),
    m.userChangePassword('absent', { name: 'nobody', password: 'p' }),
    m.userGrantRole('absent', { user: 'nobody', role: 'none' }),
    m.userRevokeRole('absent', { name: 'nobody', role: 'none' }),
    m.roleList('none', {}),
    m.roleGet('absent', { role: 'none' }),
    m.roleDelete('absent', { role: 'none' }),
    m.roleGrant('absent', { name: 'none', perm: { key: bytes('k') } }),
    m.roleRevoke('absent', { role: 'none', key: bytes('k') }),
  ];
}
