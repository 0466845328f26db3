import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom } from '../../base/random.ts';
import { BalsaError } from '../../contract/errors.ts';
import type { AnswerHeader, Condition, KeyValue } from '../../contract/kv.ts';
import type { KvService } from '../../replica/service.ts';
import { type RunningApp, startApp } from './testing/start-api.ts';

const header: AnswerHeader = { memberId: '8e9e05c52164694d', revision: 7, raftTerm: 3 };
const modRevision = 5;

/** What a key holds is up to its name, so that the same request has the same answer each time. */
function storedAt(key: Uint8Array): KeyValue | undefined {
  const sum = key.reduce((total, byte) => total + byte, 0);
  if (sum % 5 === 0) return undefined;
  if (sum % 11 === 0) throw new BalsaError('no_leader', 'What happened. What to do.');
  if (sum % 13 === 0) throw new Error('the disk is gone');
  // Some are above what is copied behind the headers.
  const value = Buffer.alloc((sum * 97) % 40_000, key);
  const found = { key, value, createRevision: 2, modRevision, version: 3 };
  return sum % 3 === 0 ? { ...found, lease: 0x1fn } : found;
}

function checkCondition(condition: Condition | undefined, found: KeyValue | undefined): void {
  const holds =
    condition === undefined ||
    (condition.kind === 'absent' && found === undefined) ||
    (condition.kind === 'exists' && found !== undefined) ||
    (condition.kind === 'modRevisionIn' && condition.revisions.includes(modRevision));
  if (holds) return;
  throw new BalsaError('precondition_failed', 'It does not hold.', {
    extras: { modRevision: found ? modRevision : null },
  });
}

/** Tells `asked` what it is asked for. */
function scripted(asked: (call: readonly unknown[]) => void): Partial<KvService> {
  return {
    get: async (key, options) => {
      asked(['get', key, options]);
      const isStale = options.consistency.level !== 'linearizable';
      return { header: isStale ? { ...header, stalenessMs: 1.5 } : header, kv: storedAt(key) };
    },
    put: async (request, options) => {
      asked(['put', request, options]);
      const previous = storedAt(request.key);
      checkCondition(request.condition, previous);
      const created = previous === undefined;
      return {
        header,
        created,
        createRevision: 2,
        modRevision: 7,
        version: 4,
        previous: request.previous ? previous : undefined,
      };
    },
    delete: async (request, options) => {
      asked(['delete', request, options]);
      const previous = storedAt(request.key);
      checkCondition(request.condition, previous);
      return { header, deleted: previous ? 1 : 0, previous: request.previous ? previous : undefined };
    },
  };
}

/** Good ones, and ones that are refused or left to Node's server. */
interface Choices {
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const methods: Choices = { good: ['GET', 'PUT', 'DELETE'], bad: ['HEAD', 'POST', 'get'] };

const keyPieces: Choices = {
  good: ['a', 'key', 'b/c', '..', '//', '~', '+', ';', '"<>\\^`{|}', '%2f', '%00', '%FF', '%c3%a9', 'x'.repeat(2000)],
  bad: ['%', '%4', '%zz', '#x', '\xe9', '%ff'.repeat(1500)],
};

/** What a method takes; all of them take what is in none of the others. */
const parameters: Readonly<Record<string, Choices>> = {
  GET: {
    good: ['revision=3', 'consistency=stale', 'consistency=bounded&maxStaleness=1s', 'timeout=1s', 'encoding=base64'],
    bad: ['revision=-1', 'consistency=x', 'consistency=bounded', 'maxStaleness=1s', 'prevKv', 'limit=1', '#'],
  },
  PUT: {
    good: ['prevKv', 'prevKv=true', 'prevKv=false', 'lease=1f', 'timeout=%31s', 'encoding=text', ''],
    bad: ['prevKv=yes', 'lease=0', 'timeout=5', 'timeout=0.5ms', 'timeout=2h', 'revision=3', 'x', '%'],
  },
  DELETE: { good: ['prevKv', 'timeout=500ms', 'encoding=auto'], bad: ['lease=1f', 'encoding=x', 'timeout=%'] },
};

const headerLines: Choices = {
  good: [
    ...['if-match: "5"', 'If-Match: "4" ,, "5"', 'if-match: *', 'if-match: "9"'],
    ...['if-none-match: *', 'if-none-match: "5"', 'IF-NONE-MATCH: W/"5", "9"', 'if-none-match:\t* \t'],
    ...[
      'accept: */*',
      'accept: application/json',
      'accept: text/html',
      'accept: application/*;q=0.2, application/json',
    ],
    ...['accept:', 'idempotency-key: abc', 'content-type: application/x-www-form-urlencoded', 'content-type: nonsense'],
    ...['content-encoding: gzip', 'range: bytes=0-1', 'origin: http://elsewhere', 'sec-fetch-site: cross-site'],
    ...['accept-version: 2', 'x-http-method-override: DELETE', 'Connection: Keep-Alive', '__proto__: x'],
  ],
  bad: [
    ...[
      'if-match: W/"5"',
      'if-match: 5',
      'if-match:',
      'if-none-match: x',
      'connection: close',
      'x: \xe9',
      'x : y',
      'Host: y',
    ],
    ...['idempotency-key: a b', 'idempotency-key:', `Idempotency-Key: ${'k'.repeat(300)}`],
  ],
};

interface SentRequest {
  readonly method: string;
  /** With a place for one more header. */
  readonly text: (line: string) => string;
}

function randomRequest(random: Random): SentRequest {
  const rarely = (): boolean => random.below(12) === 0;
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const choose = ({ good, bad }: Choices): string => pick(rarely() ? bad : good);
  const some = (from: Choices): string[] => Array.from({ length: random.below(3) }, () => choose(from));
  const method = choose(methods);
  const key = [rarely() ? '' : 'k', ...some(keyPieces)].join('');
  const query = some(parameters[method] ?? parameters['GET'] ?? assert.fail()).join('&');
  const lines = some(headerLines);
  const takesBody = method === 'PUT' || method === 'POST';
  const bytes = takesBody !== rarely() ? pick([0, 1, 100, 1024, 1025]) : 0;
  const body = String.fromCharCode(...Array.from({ length: bytes }, () => random.below(256)));
  if (bytes > 0 || rarely()) lines.push(`content-length: ${rarely() ? pick(['0', '+']) : ''}${bytes}`);
  const target = `${rarely() ? 'http://x' : ''}/v1/kv/${key}${query === '' ? '' : '?'}${query}`;
  return { method, text: (line) => [`${method} ${target} HTTP/1.1`, 'host: x', line, ...lines, '', body].join('\r\n') };
}

/** The answer on a connection of its own, without the date, and what the service was asked for. */
async function answered(
  api: RunningApp,
  asked: unknown[],
  { method, text }: SentRequest,
  line: string,
): Promise<{ readonly head: string; readonly body: string; readonly asked: readonly unknown[] }> {
  asked.length = 0;
  const connection = await api.client.connect();
  connection.send(text(line));
  const head = await connection.until('\r\n\r\n');
  const length = Number(/\r\ncontent-length: ([0-9]+)\r\n/i.exec(head)?.[1] ?? 0);
  const body = await connection.take(method === 'HEAD' ? 0 : length);
  connection.close();
  return { head: head.replace(/\r\ndate: .*?\r\n/i, '\r\n'), body, asked: [...asked] };
}

test('key requests: whoever reads them, the answers are the same', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const asked: unknown[] = [];
  const api = await startApp(
    t,
    scripted((call) => asked.push(structuredClone(call))),
  );
  let takenByNode = 0;
  for (const event of ['request', 'clientError']) api.server.on(event, () => takenByNode++);
  const rounds = 400;
  for (let round = 0; round < rounds; round++) {
    const request = randomRequest(random);
    const whole = await answered(api, asked, request, 'user-agent: test');
    const byNode = await answered(api, asked, request, 'te: trailers');
    assert.deepEqual(whole, byNode, `seed ${seed}, round ${round}: ${JSON.stringify(request.text(''))}`);
  }
  const own = 2 * rounds - takenByNode;
  t.diagnostic(`${own} of ${rounds} did not need Node's server`);
  assert.ok(own > rounds / 4, `${own} of ${rounds} did not need Node's server`);
});
