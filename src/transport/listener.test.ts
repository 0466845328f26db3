import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { systemClock } from '../server/system-clock.ts';
import { openTransport } from './index.ts';
import { defaultOptions, Members } from './testing/members.ts';
import { RawPeer } from './testing/raw-peer.ts';

test('listener: every listen URL is served, and addresses() tells the ports that were bound', async () => {
  const listenUrls = ['http://127.0.0.1:0', 'http://localhost:0'];
  const transport = await openTransport({ ...defaultOptions('1', systemClock, 1), listenUrls });
  const [first = '', second = ''] = transport.addresses();
  assert.notEqual(first, second);
  assert.match(first, /^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  for (const url of [first, second]) assert.equal((await fetch(`${url}/version`)).status, 200);
  await transport.close();
});

test('listener: a URL in use is named, with the flag, and what was opened before is closed again', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const taken = (await members.startMember('1')).transport.addresses()[0] ?? '';
  const listenUrls = ['http://127.0.0.1:0', taken];
  await assert.rejects(openTransport({ ...defaultOptions('2', systemClock, 1), listenUrls }), {
    message: `cannot listen on ${taken} (--listen-peer-urls): another process listens there already; stop it, or choose another port`,
  });
});

test('listener: URLs that cannot be used are named', async () => {
  await rejects({ listenUrls: ['https://127.0.0.1:0'] }, /^cannot listen on https:.*: only http is supported$/);
  await rejects({ listenUrls: ['here'] }, /^cannot listen on here .*: http:\/\/host:port is needed$/);
  await rejects({ listenUrls: ['http://192.0.2.1:0'] }, /: this machine has no such address$/);
  await rejects({ peers: [{ id: '2', urls: ['there'] }] }, /^member 2 cannot be dialed at there: http:\/\/host:port/);
  await rejects({ peers: [{ id: '2', urls: [] }] }, /^member 2 cannot be dialed at no URL/);

  function rejects(options: object, message: RegExp): Promise<void> {
    return assert.rejects(openTransport({ ...defaultOptions('1', systemClock, 1), ...options }), { message });
  }
});

test('listener: /version answers in JSON, everything else with a problem that says what this port is', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const [url = ''] = (await members.startMember('1')).transport.addresses();
  const version = await fetch(`${url}/version`);
  assert.deepEqual(await version.json(), {
    clusterId: 'c1',
    memberId: '1',
    software: '0.2.0',
    clusterVersion: '0.2',
    protocolVersions: { min: 1, max: 2 },
  });
  await checkProblem(await fetch(`${url}/v1/kv/a`), 404);
  await checkProblem(await fetch(`${url}/version`, { method: 'POST', body: 'x' }), 404);
  await checkProblem(await fetch(`${url}/v1/peer`), 426);

  async function checkProblem(response: Response, status: number): Promise<void> {
    assert.equal(response.status, status);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    const problem = (await response.json()) as { status: number; detail: string };
    assert.equal(problem.status, status);
    assert.match(problem.detail, /peers/i);
  }
});

test('listener: /members tells who wants to join, before any handshake; without an answer, to ask another member', async () => {
  const member = {
    id: '1',
    name: 'a',
    role: 'voter',
    peerUrls: ['http://a:2380'],
    clientUrls: [],
    version: '',
  } as const;
  const known = { clusterId: 'c1', memberId: '1', appliedIndex: 7, clusterVersion: '0.2', members: [member] };
  await using members = await Members.stopped(['1', '2'], systemClock);
  const [url = ''] = (await members.startMember('1', { describeCluster: () => known })).transport.addresses();
  const versions = { software: '0.2.0', protocolVersions: { min: 1, max: 2 } };
  assert.deepEqual(await (await fetch(`${url}/members`)).json(), { ...known, ...versions });
  const [other = ''] = (await members.startMember('2', { describeCluster: () => undefined })).transport.addresses();
  assert.equal((await fetch(`${other}/members`)).status, 503);
});

test('listener: a request that offers some other upgrade is answered as if it did not', async () => {
  await using members = await Members.stopped(['1', '2'], systemClock);
  const [url = ''] = (await members.startMember('1')).transport.addresses();
  using peer = RawPeer.connect(url);
  peer.write('GET /version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
  await peer.closed();
  assert.match(peer.http, /^HTTP\/1.1 200 OK\r\n.*"memberId":"1"/s);
});

test('close: a process whose transports are closed ends by itself', async () => {
  const script = `
    import { Members } from './src/transport/testing/members.ts';
    import { systemClock } from './src/server/system-clock.ts';
    const members = await Members.start(['1', '2', '3'], systemClock);
    members.get('1').request('2');
    members.get('2').answer = () => new Promise(() => {});
    members.get('2').request('1');
    await members[Symbol.asyncDispose]();
    process.stdout.write('closed');
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script]);
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    output += text;
  });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  assert.deepEqual([output, code], ['closed', 0]);
});
