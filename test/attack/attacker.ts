import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { oneIn, pick } from '../fuzz/engine/mutate.ts';
import { type Attack, attacks } from './http2-attacks.ts';

/** What an attacking process is told. */
export interface AttackerTask {
  readonly port: number;
  readonly seed: number;
  /** At a time. */
  readonly connections: number;
  /** This attack alone. */
  readonly only: string | undefined;
}

/** What it did since it told last, by attack. */
export type AttackerReport = Readonly<Record<string, { readonly connections: number; readonly bytes: number }>>;

/** A connection on which nothing ends by itself is given up then. */
const attackMs = 1500;
const reportMs = 1000;
/** A node that takes no connection is not asked again at once. */
const refusedMs = 100;

const task = JSON.parse(process.argv[2] ?? '') as AttackerTask;
const chosen = attacks.filter(({ name }) => task.only === undefined || name === task.only);
const done = new Map<string, { connections: number; bytes: number }>();
process.once('disconnect', () => process.exit());
setInterval(() => {
  process.send?.(Object.fromEntries(done));
  done.clear();
}, reportMs);
for (let lane = 0; lane < task.connections; lane++) void attackOn(seededRandom(task.seed * 1000 + lane));

async function attackOn(random: Random): Promise<never> {
  for (;;) {
    const attack = pick(random, chosen);
    const bytes = await carryOut(attack, random).catch(() => delay(refusedMs, 0));
    const sum = done.get(attack.name) ?? { connections: 0, bytes: 0 };
    done.set(attack.name, { connections: sum.connections + 1, bytes: sum.bytes + bytes });
  }
}

/** The bytes that were sent. */
async function carryOut(attack: Attack, random: Random): Promise<number> {
  const socket = connect(task.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  const isOver = Promise.race([once(socket, 'close'), delay(attackMs)]);
  if (attack.isDeaf === true) socket.pause();
  else socket.resume();
  const untilMs = performance.now() + attackMs;
  for (const piece of attack.pieces(random)) {
    if (performance.now() > untilMs || socket.destroyed) break;
    if (!socket.write(piece)) await Promise.race([drained(socket), isOver]);
  }
  // What was sent may do its harm only while the connection is there.
  if (!socket.destroyed && oneIn(random, 4)) await isOver;
  const { bytesWritten } = socket;
  if (oneIn(random, 2)) socket.resetAndDestroy();
  else socket.destroy();
  return bytesWritten;
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve);
  });
}
