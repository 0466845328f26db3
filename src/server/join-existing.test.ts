import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'node:test';
import type { ClusterDescription, DescribedMember } from '../transport/index.ts';
import { resolveConfig } from './config.ts';
import { findAdmission, refuseIfItRanBefore } from './join-existing.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const own = { id: 'd4', name: '', role: 'learner', peerUrls: ['http://d:2380'], clientUrls: [], version: '' } as const;

test('existing: a member finds its place by its peer URLs, in the newest description', async () => {
  const [a, b] = await twoPorts();
  const members = [started('a1', 'a', a.url), started('b2', 'b', b.url)];
  a.says({ ...cluster, memberId: 'a1', appliedIndex: 5, members });
  b.says({ ...cluster, memberId: 'b2', appliedIndex: 7, members: [...members, own] });
  const found = await findAdmission(config(a.url, b.url));
  assert.deepEqual([found.clusterId, found.memberId, found.members.length], ['c1', 'd4', 3]);
});

test('existing: a member that was not added is told the very line to run', async () => {
  const [a, b] = await twoPorts();
  const members = [started('a1', 'a', a.url), started('b2', 'b', b.url)];
  a.says({ ...cluster, memberId: 'a1', appliedIndex: 5, members });
  await refused(
    config(a.url, b.url),
    'initial-cluster-state: cluster c1 has no member with the peer URL http://d:2380; add it first: ' +
      'balsa member add d --peer-urls=http://d:2380 --endpoints=http://a:2379,http://b:2379',
  );
});

test('existing: a member that has run before and has lost its data is told how to be replaced', async () => {
  const [a, b] = await twoPorts();
  const lost = { ...own, name: 'd', clientUrls: ['http://d:2379'], version: '0.2.0' };
  a.says({
    ...cluster,
    memberId: 'a1',
    appliedIndex: 5,
    members: [started('a1', 'a', a.url), started('b2', 'b', b.url), lost],
  });
  await refused(
    config(a.url, b.url),
    /member d of cluster c1 has run before: .* or run "balsa member replace d --endpoints=http:\/\/a:2379,http:\/\/b:2379"$/,
  );
});

test('existing: the rest of initial-cluster has to be right, and the right one is told', async () => {
  const [a, b] = await twoPorts();
  const members = [started('a1', 'a', a.url), own];
  a.says({ ...cluster, memberId: 'a1', appliedIndex: 5, members });
  const right = `use --initial-cluster=a=${a.url},d=http://d:2380`;
  await refused(config(a.url, b.url), `initial-cluster: has b (${b.url}), which is no member of cluster c1; ${right}`);
  a.says({ ...cluster, memberId: 'a1', appliedIndex: 5, members: [...members, started('b2', 'b', b.url)] });
  await refused(
    config(a.url, undefined),
    `initial-cluster: does not have member b (${b.url}) of cluster c1; ${right},b=${b.url}`,
  );
  a.says({
    ...cluster,
    memberId: 'a1',
    appliedIndex: 5,
    members: [{ ...own, peerUrls: [...own.peerUrls, 'http://e:1'] }],
  });
  await refused(config(a.url, b.url), /knows member d4 as http:\/\/d:2380,http:\/\/e:1; give it all of these URLs$/);
});

test('existing: nobody answers, or somebody else does', async () => {
  const [a, b] = await twoPorts();
  await refused(
    config(a.url, b.url),
    /^initial-cluster: none of its other members says what cluster it belongs to \(.*does not know its cluster yet.*\)/,
  );
  for (const answer of ['no JSON', '{}', JSON.stringify({ ...cluster, memberId: 'X' }), '['.repeat(100_000)]) {
    a.answers(answer);
    await refused(config(a.url, undefined), /it answered something else: is that the peer URL of a member\?/);
  }
  a.answers('x'.repeat(2_000_000));
  await refused(config(a.url, undefined), /it answered more than 1048576 bytes/);
  await refused(config('http://127.0.0.1:1', undefined), /ECONNREFUSED/);
  await refused(
    resolveConfig({ name: 'd', initialAdvertisePeerUrls: ['http://d:2380'], initialClusterState: 'existing' }),
    /^initial-cluster-state: "existing" needs the running members in --initial-cluster beside this one/,
  );
});

test('existing: members of two clusters are not mixed up', async () => {
  const [a, b] = await twoPorts();
  a.says({ ...cluster, memberId: 'a1', appliedIndex: 5, members: [own] });
  b.says({ ...cluster, clusterId: 'c2', memberId: 'b2', appliedIndex: 4, members: [own] });
  await refused(
    config(a.url, b.url),
    `initial-cluster: ${a.url} belongs to cluster c1, and ${b.url} to c2; give the members of one cluster`,
  );
});

test('new: a member that ran before, or was removed, does not found its cluster a second time', async () => {
  const [a, b] = await twoPorts();
  const founding = { clusterId: 'c1', memberId: 'd4' };
  const given = config(a.url, b.url);
  a.says({ ...cluster, memberId: 'a1', appliedIndex: 0, members: [own] });
  await refuseIfItRanBefore(given, founding);
  a.says({
    ...cluster,
    clusterId: 'c9',
    memberId: 'a1',
    appliedIndex: 0,
    members: [started('d4', 'd', 'http://d:2380')],
  });
  await refuseIfItRanBefore(given, founding);
  a.says({ ...cluster, memberId: 'a1', appliedIndex: 0, members: [started('d4', 'd', 'http://d:2380')] });
  await assert.rejects(refuseIfItRanBefore(given, founding), { message: /member d of cluster c1 has run before/ });
  a.says({ ...cluster, memberId: 'a1', appliedIndex: 0, members: [started('a1', 'a', a.url)] });
  await assert.rejects(refuseIfItRanBefore(given, founding), {
    message: /member d4 \(d\) was removed from cluster c1/,
  });
});

const cluster = { clusterId: 'c1', clusterVersion: '0.2' } as const;

function started(id: string, name: string, peerUrl: string): DescribedMember {
  return { id, name, role: 'voter', peerUrls: [peerUrl], clientUrls: [`http://${name}:2379`], version: '0.2.0' };
}

function config(a: string, b: string | undefined) {
  const others = [{ name: 'a', peerUrls: [a] }, ...(b === undefined ? [] : [{ name: 'b', peerUrls: [b] }])];
  return resolveConfig({
    name: 'd',
    initialCluster: [...others, { name: 'd', peerUrls: ['http://d:2380'] }],
    initialClusterState: 'existing',
  });
}

async function refused(given: ReturnType<typeof resolveConfig>, message: string | RegExp): Promise<void> {
  await assert.rejects(findAdmission(given), { name: 'ConfigError', message });
}

/** Two ports of members; until they say something else they do not know their cluster. */
async function twoPorts() {
  return [await port(), await port()] as const;
}

async function port() {
  let body: string | undefined;
  const server = createServer((_request, response) => response.writeHead(body === undefined ? 503 : 200).end(body));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    says(description: ClusterDescription): void {
      body = JSON.stringify(description);
    },
    answers(text: string): void {
      body = text;
    },
  };
}
