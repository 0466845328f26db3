import assert from 'node:assert/strict';
import { Broken, type Input, type OpenTarget, type Target } from '../engine/target.ts';
import { checkAnswer } from './check-answer.ts';
import { HttpSocket, KeptHttpSocket } from './http-socket.ts';
import type { ApiDocument } from './openapi-document.ts';
import { restRequest } from './rest-requests.ts';
import { TestedNode } from './tested-node.ts';

export const restTarget: Target = {
  name: 'rest',
  about: 'well-formed requests to every route of /openapi.json, right and wrong → a whole member',
  weight: 1.5,
  where: 'process',
  open,
};

/** Between two looks whether the member still does its work, and between two times that everything is deleted. */
const lookEvery = 50;
const clearEvery = 2000;

async function open(): Promise<OpenTarget> {
  let member = await ServedMember.start();
  let asked = 0;
  return {
    make: (random) => ({ kind: 'request', bytes: restRequest(random, member.document) }),

    async run({ bytes }: Input) {
      if (!member.node.isAlive) member = await member.replaced();
      const answer = await member.exchange(bytes);
      checkAnswer(member.document, answer.method, answer.target, answer.answer);
      if (++asked % lookEvery === 0) await member.mustWork();
      if (asked % clearEvery === 0) await member.clear();
    },

    cpuMs: () => member.node.cpuMs(),
    memory: () => member.node.memory(),
    close: () => member.stop(),
  };
}

/** A member, the connections to it, and what it says about itself. */
export class ServedMember {
  readonly node: TestedNode;
  readonly document: ApiDocument;
  readonly #kept: KeptHttpSocket;
  #socket: HttpSocket | undefined;
  #looks = 0;

  private constructor(node: TestedNode, document: ApiDocument, kept: KeptHttpSocket) {
    this.node = node;
    this.document = document;
    this.#kept = kept;
  }

  static async start(): Promise<ServedMember> {
    const node = await TestedNode.start();
    const kept = new KeptHttpSocket(node.clientPort);
    const answer = await kept.ask('GET', '/openapi.json');
    return new ServedMember(node, JSON.parse(answer.body.toString()) as ApiDocument, kept);
  }

  async replaced(): Promise<ServedMember> {
    await this.stop();
    return ServedMember.start();
  }

  /** One request, on the connection of the one before if that is still open. */
  async exchange(request: Buffer) {
    const [method = '', target = ''] = request.toString('latin1', 0, request.indexOf('\r\n')).split(' ');
    // The server may be closing the kept one at this moment: then once more, on a new one.
    for (const isKept of [this.#socket !== undefined && !this.#socket.isClosed, false]) {
      const socket = isKept && this.#socket !== undefined ? this.#socket : new HttpSocket(this.node.clientPort);
      this.#socket = socket;
      socket.send(request);
      const answer = await this.#answered(socket.answer(method));
      if (answer === undefined && isKept) continue;
      if (answer === undefined) throw new Broken(`${method} ${target.slice(0, 200)}: closed without an answer`);
      // What an answer that closes says of the rest of a body does not concern the next request.
      if (answer.headers.get('connection') === 'close') socket.destroy();
      return { method, target, answer };
    }
    throw new Broken(`${method} ${target.slice(0, 200)}: closed without an answer, twice`);
  }

  /**
   * A value is put and read back, and nobody stumbles over what was sent before. `attempts`: more than one where
   * requests may still be under way, of which one may delete it in between.
   */
  async mustWork(attempts = 1): Promise<void> {
    const value = Buffer.from(`value ${++this.#looks}`);
    const put = await this.#answered(this.#kept.ask('PUT', '/v1/kv/alive', value));
    assert.ok(put.status === 200 || put.status === 201, `a put was answered with ${put.status} ${put.body.toString()}`);
    const got = await this.#answered(this.#kept.ask('GET', '/v1/kv/alive'));
    if (got.status === 404 && attempts > 1) return this.mustWork(attempts - 1);
    assert.deepEqual([got.status, got.body.toString()], [200, value.toString()], 'what was put is not there');
  }

  /** As `mustWork`, in one round trip. */
  async mustBeReachable(): Promise<void> {
    const answer = await this.#answered(this.#kept.ask('GET', '/livez'));
    assert.equal(answer.status, 200);
  }

  /** So that lists stay short: what is slow shall be so for its own sake. */
  async clear(): Promise<void> {
    await this.#answered(this.#kept.ask('DELETE', '/v1/kv?start=%00'));
  }

  async stop(): Promise<void> {
    this.#kept.close();
    this.#socket?.destroy();
    await this.node.stop();
  }

  /** A connection that fails because the process is gone is told as that. */
  async #answered<T>(answer: Promise<T>): Promise<T> {
    try {
      const result = await answer;
      if (result === undefined) await turns();
      this.node.mustBeAlive();
      return result;
    } catch (reason) {
      await turns();
      this.node.mustBeAlive();
      throw reason;
    }
  }
}

/** The end of a process is told a little later than that of its connections. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}
