import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandModule } from 'yargs';
import { BalsaError, connect } from '../../client/index.ts';
import { type Colors, colorsFor } from '../colors.ts';
import { CommandError } from '../exit-codes.ts';
import { LocalCluster, type LocalMember, nodesMax, planMembers, refuseTakenPorts } from '../local-cluster.ts';
import { shortLogLine } from '../log-lines.ts';
import { firstStopSignal } from '../stop-signal.ts';

interface ClusterArguments {
  readonly nodes: number;
  readonly 'data-dir': string;
  readonly 'client-port': number;
  readonly 'peer-port': number;
  readonly 'log-level': string;
}

/** A real cluster on this machine, to try things out with: as many server processes as it has members. */
export const clusterCommand: CommandModule<object, ClusterArguments> = {
  command: 'cluster',
  describe: 'Run a whole cluster on this machine, to try it out',
  builder: (program) =>
    program
      .option('nodes', {
        type: 'number',
        requiresArg: true,
        default: 3,
        choices: [1, 3, nodesMax],
        describe: 'Members',
      })
      .option('data-dir', {
        type: 'string',
        requiresArg: true,
        default: './balsa-data-cluster',
        describe: 'Where the members keep their data between runs, a directory each',
      })
      .option('client-port', {
        type: 'number',
        requiresArg: true,
        default: 2379,
        describe: 'Client port of the first; the next has 20000 more, then 30000 …',
      })
      .option('peer-port', { type: 'number', requiresArg: true, default: 2380, describe: 'Peer port of the first' })
      .option('log-level', { type: 'string', requiresArg: true, default: 'info', describe: 'Log level of the members' })
      .example('$0 cluster', 'three members, on 2379, 22379 and 32379; Ctrl-C stops them')
      .example('$0 cluster --nodes 5', 'five'),
  handler: runCluster,
};

async function runCluster(given: ClusterArguments): Promise<void> {
  const members = planMembers({
    nodes: given.nodes,
    dataDir: resolve(given['data-dir']),
    clientPort: portOf('client-port', given['client-port']),
    peerPort: portOf('peer-port', given['peer-port']),
  });
  await refuseTakenPorts(members);

  const colors = colorsFor(process.stdout, process.env);
  const startedAtMs = performance.now();
  say(`${greeting(members, given['data-dir'])}\n`);
  const cluster = new LocalCluster(members, [`--log-level=${given['log-level']}`], (member, line) => {
    const index = members.indexOf(member);
    say(`${colors.member(index, `${member.name} │`)} ${shortLogLine(line, colors)}`);
  });
  const stopSignal = firstStopSignal((exitCode) => {
    cluster.kill();
    process.exit(exitCode);
  });

  const ending = Promise.race([stopSignal.then(() => undefined), cluster.lost]);
  const waiting = new AbortController();
  const ready = waitUntilReady(() => members.filter((member) => !cluster.isExpelled(member)), waiting.signal).then(
    (leader) => {
      if (leader === undefined) return;
      const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
      say(tour(members, leader, seconds, colors));
    },
  );
  const lost = await ending;
  waiting.abort();
  say(lost === undefined ? '\nStopping …' : `\n${lost.member.name} has ended (${lost.how}); stopping the others …`);
  const killed = await cluster.stop();
  await ready;
  if (killed.length > 0) throw new CommandError(`${killed.join(', ')} did not stop in time and had to be killed`);
  if (lost !== undefined)
    throw new CommandError(`${lost.member.name} ended by itself (${lost.how}); its last lines above say why`);
  say(`Stopped. The data stays in ${pathOf(given['data-dir'])}; delete it to begin anew.`);
}

function portOf(flag: string, port: number): number {
  // The last member has the port plus 50000.
  if (Number.isInteger(port) && port > 0 && port <= 65_535 - 50_000) return port;
  throw new CommandError(
    `--${flag}: must be a port from 1 to 15535, because further members add up to 50000 to it, not ${port}`,
  );
}

function greeting(members: readonly LocalMember[], dataDir: string): string {
  const kept = members.filter((member) => existsSync(member.dataDir)).length;
  const data = kept > 0 ? 'going on with the data in' : 'new data in';
  return `Starting ${members.length} ${members.length === 1 ? 'member' : 'members'}, ${data} ${pathOf(dataDir)}. Ctrl-C stops ${members.length === 1 ? 'it' : 'them'}.`;
}

function pathOf(directory: string): string {
  const path = relative('.', resolve(directory));
  return path.startsWith('..') ? resolve(directory) : `./${path}`;
}

const pollMs = 50;
const progressMs = 2000;

/** The leader, once every member serves requests and agrees on it; undefined if `signal` came first. */
async function waitUntilReady(
  present: () => readonly LocalMember[],
  signal: AbortSignal,
): Promise<LocalMember | undefined> {
  let toldAtMs = performance.now();
  while (!signal.aborted) {
    const members = present();
    const missing = await notReady(members, signal);
    if (missing.length === 0) {
      const leader = await leaderOf(members, signal);
      if (leader !== undefined) return leader;
    }
    if (performance.now() - toldAtMs > progressMs) {
      toldAtMs = performance.now();
      const what = missing.length === 0 ? 'a leader' : missing.map(({ name }) => name).join(', ');
      say(`Waiting for ${what} …`);
    }
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

async function notReady(members: readonly LocalMember[], signal: AbortSignal): Promise<readonly LocalMember[]> {
  const answers = await Promise.all(
    members.map((member) =>
      fetch(`${member.clientUrl}/readyz`, { signal: AbortSignal.any([signal, AbortSignal.timeout(progressMs)]) }).then(
        (response) => response.ok,
        () => false,
      ),
    ),
  );
  return members.filter((_, i) => !answers[i]);
}

async function leaderOf(members: readonly LocalMember[], signal: AbortSignal): Promise<LocalMember | undefined> {
  try {
    const { leader, members: known } = await connect({ endpoints: members.map(({ clientUrl }) => clientUrl) }).cluster({
      signal,
      timeoutMs: progressMs,
    });
    const name = known.find(({ id }) => id === leader)?.name;
    return members.find((member) => member.name === name);
  } catch (reason) {
    if (reason instanceof BalsaError) return undefined;
    throw reason;
  }
}

function tour(members: readonly LocalMember[], leader: LocalMember, seconds: string, colors: Colors): string {
  const url = (i: number): string => members[i % members.length]?.clientUrl ?? '';
  const addresses = members.map(
    (member, i) => `  ${colors.member(i, member.name)}  ${member.clientUrl}${member === leader ? '  (leader)' : ''}`,
  );
  const commands = [
    ['store a value', `curl -X PUT ${url(0)}/v1/kv/hello -d world`],
    ['read it, from any member', `curl ${url(1)}/v1/kv/hello`],
    ['list keys', `curl '${url(2)}/v1/kv?prefix=h'`],
    ['only if nobody has it', `curl -X PUT ${url(0)}/v1/kv/lock -H 'If-None-Match: *' -d me`],
    ['see the members', `curl ${url(0)}/v1/cluster`],
  ].map(([what = '', command = '']) => `  ${colors.dim(`# ${what}`)}\n  ${command}`);
  return `\n${colors.bold(`Ready after ${seconds} s.`)}\n${addresses.join('\n')}\n\nTry in another terminal:\n${commands.join('\n')}\n`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
