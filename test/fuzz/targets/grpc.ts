import type { Input, OpenTarget, Target } from '../engine/target.ts';
import { randomOf } from './decoders.ts';
import { piecesOf } from './frames.ts';
import { HttpSocket } from './http-socket.ts';
import { connection } from './http2-frames.ts';
import { ServedMember } from './rest.ts';

export const grpcTarget: Target = {
  name: 'grpc',
  about: "HTTP/2 connections with calls of etcd's API, damaged anywhere → the client port of a whole member",
  weight: 1,
  where: 'process',
  open,
};

const lookEvery = 20;
const clearEvery = 2000;

async function open(): Promise<OpenTarget> {
  let member = await ServedMember.start();
  let sent = 0;
  return {
    make: (random) => ({ kind: 'bytes', bytes: connection(random) }),

    async run({ bytes }: Input) {
      if (!member.node.isAlive) member = await member.replaced();
      const socket = new HttpSocket(member.node.clientPort);
      await socket.connected();
      for (const piece of piecesOf(randomOf(bytes), bytes).slice(0, 100)) socket.send(piece);
      // Answered after what came before it was read.
      await member.mustBeReachable();
      socket.destroy();
      if (++sent % lookEvery === 0) await member.mustWork(5);
      if (sent % clearEvery === 0) await member.clear();
    },

    cpuMs: () => member.node.cpuMs(),
    memory: () => member.node.memory(),
    close: () => member.stop(),
  };
}
