import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Command, encodeCommand, type MemberRecord } from '../../mvcc/index.ts';
import type { Configuration, Entry } from '../../raft/index.ts';
import { openState, type State } from '../../replica/index.ts';
import { positionOf } from '../../replica/snapshot-position.ts';
import { directoryFiles, type Identity, openIdentity, readIdentity, writeBackup } from '../../storage/index.ts';
import { systemClock } from '../system-clock.ts';

export const groupId = 1;
const term = 3;

export function scratch(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'balsa-rebuild-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Members `1`, `2` and `3` of a cluster; only the first one has a directory. */
export const oldMembers: readonly MemberRecord[] = ['1', '2', '3'].map((id) => ({
  id,
  name: `n${id}`,
  peerUrls: [`http://n${id}:2380`],
  clientUrls: [],
  version: '',
}));

/** Opens the state of whoever the directory belongs to, works on it, and closes it. */
export async function withState(
  dataDir: string,
  work: (state: State, identity: Identity) => Promise<void>,
): Promise<void> {
  const found = await readIdentity(dataDir);
  const identity = found ?? { clusterId: 'c1', memberId: '1', name: 'n1' };
  await openIdentity(dataDir, identity);
  const voters = oldMembers.map(({ id }) => id);
  const bootstrap: Configuration = {
    voters,
    votersOutgoing: [],
    learners: [],
    learnersNext: [],
    autoLeave: false,
  };
  const state = await openState({
    groupId,
    clusterId: identity.clusterId,
    memberId: identity.memberId,
    files: directoryFiles(dataDir),
    clock: systemClock,
    bootstrap,
    bootstrapMembers: oldMembers,
    logCacheBytes: 1e6,
    flushIntervalMs: 1e6,
    flushChangesMax: 1e6,
    flushBytesMax: 1e9,
    logger: { info: () => undefined, warn: () => undefined },
  });
  try {
    await work(state, identity);
  } finally {
    await state.close();
  }
}

/** One entry each, durable; those up to `committed` are committed and applied. */
export async function append({ log, store }: State, commands: readonly Command[], committed: number): Promise<void> {
  const first = log.lastIndex() + 1;
  const entries = commands.map(
    (command, i): Entry => ({ index: first + i, term, type: 'command', data: encodeCommand(command) }),
  );
  await log.persist({ hardState: { term, vote: '1', commit: committed }, entries });
  for (const { index, data } of entries) if (index <= committed) await store.apply(index, data, { term });
}

export function put(key: string, value: string): Command {
  return { kind: 'put', key: Buffer.from(key), value: Buffer.from(value), condition: undefined, previous: false };
}

/** Every kind of record; the last commands overwrite and delete. */
export const someCommands: readonly Command[] = [
  { kind: 'leaseGrant', id: 5n, ttl: 60 },
  ...Array.from({ length: 30 }, (_, i) => put(`k${i}`, `v${i}`)),
  {
    kind: 'put',
    key: Buffer.from('leased'),
    value: Buffer.from('v'),
    lease: 5n,
    condition: undefined,
    previous: false,
  },
  put('k1', 'later'),
  { kind: 'delete', key: Buffer.from('k2'), condition: undefined, previous: false },
];

export async function backupOf(dataDir: string): Promise<Buffer> {
  const frames: Buffer[] = [];
  await withState(dataDir, async ({ store, log }, { clusterId }) => {
    await store.flush();
    const source = await store.openExport();
    const position = positionOf(source, log);
    if (position === undefined) throw new Error('the log does not reach back to the store');
    const { index: appliedIndex, term, configuration } = position;
    const { revision, compactRevision, keyCount, hash: stateHash, bytesExpected } = source;
    const manifest = {
      ...{ clusterId, groupId, appliedIndex, term, configuration },
      ...{ revision, compactRevision, keyCount, stateHash, bytesExpected },
      members: source.members.map(({ id, name }) => ({ id, name })),
      createdBy: '1.2.3',
    };
    for await (const frame of writeBackup(source, manifest)) frames.push(frame);
    await source.close();
  });
  return Buffer.concat(frames);
}

/** The present keys with their values, and the figures that members compare. */
export async function contentOf(
  dataDir: string,
): Promise<{ readonly kvs: string[]; readonly hash: number | undefined }> {
  let kvs: string[] = [];
  let hash: number | undefined;
  await withState(dataDir, async ({ store }) => {
    const view = store.readView();
    const range = { start: new Uint8Array(), end: undefined };
    const page = await view.page(range, { limit: 0, bytesMax: 1e9, keysOnly: false });
    kvs = page.kvs.map(
      ({ key, value, modRevision, lease }) => `${text(key)}=${text(value)} ${modRevision} ${lease ?? ''}`,
    );
    await view.close();
    const source = await store.openExport();
    hash = source.hash;
    await source.close();
  });
  return { kvs, hash };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
