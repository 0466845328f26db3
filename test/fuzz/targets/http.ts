import type { Random } from '../../../src/base/random.ts';
import { mutate, oneIn, pick, randomBytes, randomLength } from '../engine/mutate.ts';
import type { Input, OpenTarget, Target } from '../engine/target.ts';
import { checkProblem } from './check-answer.ts';
import { randomOf } from './decoders.ts';
import { piecesOf } from './frames.ts';
import { parseAnswers } from './http-answer.ts';
import { HttpSocket } from './http-socket.ts';
import type { ApiDocument } from './openapi-document.ts';
import { ServedMember } from './rest.ts';
import { restRequest } from './rest-requests.ts';

export const httpTarget: Target = {
  name: 'http',
  about: 'malformed HTTP, pipelined, cut anywhere, on a bare socket → the client port of a whole member',
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
    make: (random) => ({ kind: 'bytes', bytes: stream(random, member.document) }),

    async run({ bytes }: Input) {
      if (!member.node.isAlive) member = await member.replaced();
      const socket = new HttpSocket(member.node.clientPort);
      await socket.connected();
      const random = randomOf(bytes);
      const pieces = piecesOf(random, bytes).slice(0, 100);
      for (const piece of pieces) socket.send(piece);
      // Answered after what came before it was read; the answers to that have been sent as well, or never will be.
      await member.mustBeReachable();
      checkReceived(socket);
      socket.destroy();
      if (++sent % lookEvery === 0) await member.mustWork(5);
      if (sent % clearEvery === 0) await member.clear();
    },

    cpuMs: () => member.node.cpuMs(),
    memory: () => member.node.memory(),
    close: () => member.stop(),
  };
}

/** Whole answers, each one documented, and perhaps a part of one more. What was asked nobody can tell any more. */
function checkReceived(socket: HttpSocket): void {
  const { answers } = parseAnswers(socket.received(), [], socket.isClosed);
  for (const answer of answers) if (answer.status >= 400) checkProblem(answer, 'malformed HTTP', false);
}

function stream(random: Random, document: ApiDocument): Buffer {
  if (oneIn(random, 30)) return pick(random, otherProtocols)(random);
  const requests = Array.from({ length: 1 + random.below(3) }, () => restRequest(random, document));
  // An answer to HEAD cannot be told from one that is cut off, where nobody knows any more what was asked.
  const valid = Buffer.from(Buffer.concat(requests).toString('latin1').replaceAll('HEAD ', 'GET '), 'latin1');
  const headEnd = valid.indexOf('\r\n\r\n');
  // The head is where it matters, and it is short beside some bodies.
  const [head, rest] = [valid.subarray(0, headEnd + 4), valid.subarray(headEnd + 4)];
  switch (random.below(4)) {
    case 0:
      return mutate(random, valid, head);
    case 1:
      return Buffer.concat([mutate(random, head, head), rest]);
    default: {
      const lines = head.toString('latin1').split('\r\n');
      lines.splice(1 + random.below(Math.max(1, lines.length - 2)), oneIn(random, 4) ? 1 : 0, pick(random, oddLines));
      return Buffer.concat([Buffer.from(lines.join(oneIn(random, 15) ? '\n' : '\r\n'), 'latin1'), rest]);
    }
  }
}

const oddLines: readonly string[] = [
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: -1',
  'Content-Length: 99999999999999999999',
  'Content-Length: 5, 5',
  'Content-Length: 0x5',
  'Content-Length : 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding:\x0bchunked',
  'Connection: close',
  'Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk',
  'Connection: keep-alive, host, content-length',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Host: y',
  'Host: a b',
  'Trailer: X',
  ' folded',
  ': no name',
  'no colon',
  'name with space: x',
  'nul: \0',
  'cr: \r x',
  'latin: \xff\xfe',
  '',
];

const otherProtocols: readonly ((random: Random) => Buffer)[] = [
  () => Buffer.from('PRI * HTTP/1.1\r\nhost: x\r\n\r\n'),
  (random) => Buffer.concat([Buffer.from('16030102000100', 'hex'), randomBytes(random, 200)]),
  (random) => randomBytes(random, randomLength(random, 100_000)),
  () => Buffer.from('CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n'),
  () => Buffer.from('GET / HTTP/1.0\r\n\r\n'),
  () => Buffer.from('GET /\r\n\r\n'),
  () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  () => Buffer.from('GET / HTTP/9.9\r\nhost: x\r\n\r\n'),
  () => Buffer.from('GET http:// HTTP/1.1\r\nhost: x\r\n\r\n'),
  () => Buffer.from('GET * HTTP/1.1\r\nhost: x\r\n\r\n'),
  () => Buffer.from(`${'\r\n'.repeat(10_000)}GET / HTTP/1.1\r\nhost: x\r\n\r\n`),
  () => Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(200)),
  () =>
    Buffer.from(
      `PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;${'e'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`,
    ),
  () =>
    Buffer.from(
      `PUT /v1/kv/a HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(5000)}0\r\n${'t: x\r\n'.repeat(3000)}\r\n`,
    ),
];
