import assert from 'node:assert/strict';
import type { Random } from '../../../src/base/random.ts';
import type { Config } from '../../../src/server/config.ts';
import { peerPath, upgradeToken } from '../../../src/transport/handshake.ts';
import { mutate, oneIn, randomBytes, randomLength } from '../engine/mutate.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';
import { randomOf } from './decoders.ts';
import { piecesOf } from './frames.ts';
import { HttpSocket, KeptHttpSocket } from './http-socket.ts';
import { helloBytes, type Speaker, strayFrames } from './stray-frames.ts';
import { TestedNode } from './tested-node.ts';

export const peerPortTarget: Target = {
  name: 'peer-port',
  about: "a peer's byte stream over a real socket, HTTP upgrade included → a whole member of a cluster of three",
  weight: 1,
  where: 'process',
  open,
};

/** A member whose term was driven far up looks at little more: a new one now and then. */
const inputsPerMember = 3000;

/** The addresses, and with them the identities, are the same each time; nobody listens at the other two. */
const config: Partial<Config> = {
  name: 'a',
  initialAdvertisePeerUrls: ['http://127.0.0.1:9'],
  initialCluster: ['a', 'b', 'c'].map((name, i) => ({ name, peerUrls: [`http://127.0.0.1:${9 + i}`] })),
};

async function open(): Promise<OpenTarget> {
  let node = await TestedNode.start(config);
  let kept = new KeptHttpSocket(node.clientPort);
  const speakers = await speakersOf(kept);
  let sent = 0;
  return {
    make: (random) => ({ kind: 'bytes', bytes: stream(random, speakers) }),

    async run({ bytes }: Input) {
      if (!node.isAlive || ++sent % inputsPerMember === 0) await startAnew();
      const socket = new HttpSocket(node.peerPort);
      await socket.connected();
      for (const piece of piecesOf(randomOf(bytes), bytes).slice(0, 100)) socket.send(piece);
      await mustBeReachable();
      socket.destroy();
      // So that the member has seen the end of this connection before the next one says hello under the same name.
      await mustBeReachable();
    },

    cpuMs: () => node.cpuMs(),
    memory: () => node.memory(),
    async close() {
      kept.close();
      await node.stop();
    },
  };

  async function startAnew(): Promise<void> {
    kept.close();
    await node.stop();
    node = await TestedNode.start(config);
    kept = new KeptHttpSocket(node.clientPort);
  }

  async function mustBeReachable(): Promise<void> {
    try {
      assert.equal((await kept.ask('GET', '/livez')).status, 200);
    } catch (reason) {
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      node.mustBeAlive();
      throw reason;
    }
    node.mustBeAlive();
  }
}

async function speakersOf(kept: KeptHttpSocket): Promise<readonly [Speaker, Speaker]> {
  const { memberId } = JSON.parse((await kept.ask('GET', '/v1/status')).body.toString()) as { memberId: string };
  const { clusterId, members } = JSON.parse((await kept.ask('GET', '/v1/cluster')).body.toString()) as {
    clusterId: string;
    members: readonly { readonly id: string }[];
  };
  const [b, c] = members
    .filter(({ id }) => id !== memberId)
    .map(({ id }) => ({ clusterId, from: id, to: memberId, groupId: 1, oddTermOneIn: 5000, hasForeignEntries: false }));
  assert.ok(b !== undefined && c !== undefined, 'a cluster of three has two others');
  return [b, c];
}

function stream(random: Random, speakers: readonly [Speaker, Speaker]): Buffer {
  const speaker = speakers[random.below(2)] ?? speakers[0];
  const upgrade = Buffer.from(
    `GET ${peerPath} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${upgradeToken}\r\n\r\n`,
  );
  if (oneIn(random, 20)) return randomBytes(random, randomLength(random, 20_000));
  const asked = oneIn(random, 12) ? mutate(random, upgrade, upgrade) : upgrade;
  return Buffer.concat([asked, helloBytes(random, speaker), strayFrames(random, speaker)]);
}
