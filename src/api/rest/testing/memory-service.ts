import { BalsaError } from '../../../contract/errors.ts';
import type { AnswerHeader, Condition, KeyRange, KeyValue } from '../../../contract/kv.ts';
import { limits } from '../../../contract/kv.ts';
import type { ClusterService, KvService, RangePage } from '../../../replica/service.ts';

const memberId = '8e9e05c52164694d';

/**
 * The service as one member without disk or peers would give it, to measure and to try the skin by itself. It keeps
 * the service's promises about answers and errors, and none about durability. It never fails by itself.
 */
export class MemoryService implements KvService, ClusterService {
  readonly #kvs = new Map<string, KeyValue>();
  readonly #lists = new Map<
    string,
    { readonly kvs: readonly KeyValue[]; readonly from: number; readonly header: AnswerHeader }
  >();
  readonly #valueBytesMax: number;
  #revision = 1;

  constructor(valueBytesMax: number) {
    this.#valueBytesMax = valueBytesMax;
  }

  header(): AnswerHeader {
    return { memberId, revision: this.#revision, raftTerm: 2 };
  }

  put: KvService['put'] = async ({ key, value, condition, previous }) => {
    checkKey(key);
    if (value.length > this.#valueBytesMax) throw new BalsaError('too_large', 'The value is too large.');
    const before = this.#kvs.get(nameOf(key));
    check(condition, before);
    const modRevision = ++this.#revision;
    const createRevision = before?.createRevision ?? modRevision;
    const version = (before?.version ?? 0) + 1;
    this.#kvs.set(nameOf(key), { key, value, createRevision, modRevision, version });
    const answer = { header: this.header(), created: before === undefined, createRevision, modRevision, version };
    return { ...answer, previous: previous ? before : undefined };
  };

  delete: KvService['delete'] = async ({ key, condition, previous }) => {
    checkKey(key);
    const before = this.#kvs.get(nameOf(key));
    check(condition, before);
    if (before !== undefined) {
      this.#kvs.delete(nameOf(key));
      this.#revision++;
    }
    const deleted = before === undefined ? 0 : 1;
    return { header: this.header(), deleted, previous: previous ? before : undefined };
  };

  deleteRange: KvService['deleteRange'] = async ({ range }) => {
    const found = this.#select(range);
    for (const { key } of found) this.#kvs.delete(nameOf(key));
    if (found.length > 0) this.#revision++;
    return { header: this.header(), deleted: found.length, previous: undefined };
  };

  get: KvService['get'] = async (key, { consistency }) => {
    checkKey(key);
    return { header: this.#readHeader(consistency.level), kv: this.#kvs.get(nameOf(key)) };
  };

  range: KvService['range'] = async ({ range, limit, keysOnly, countOnly, sort, order }, { consistency }) => {
    const found = this.#select(range).map((kv) => (keysOnly ? { ...kv, value: Buffer.alloc(0) } : kv));
    if (sort !== 'key') found.sort((a, b) => a[sort] - b[sort]);
    if (order === 'desc') found.reverse();
    const header = this.#readHeader(consistency.level);
    if (countOnly) return { header, kvs: [], count: found.length, more: false, next: undefined };
    const page = this.#page(found, 0, limit, header);
    return sort === 'key' ? page : { ...page, next: undefined };
  };

  nextPage: KvService['nextPage'] = async (after, { limit }) => {
    const list = this.#lists.get(after);
    if (list === undefined) throw new BalsaError('compacted', 'That list is no longer kept.');
    return this.#page(list.kvs, list.from, limit, list.header);
  };

  stream: KvService['stream'] = async (range, { consistency }) => {
    const found = this.#select(range);
    async function* pages(): AsyncGenerator<readonly KeyValue[]> {
      for (let at = 0; at < found.length; at += 100) yield found.slice(at, at + 100);
    }
    return { header: this.#readHeader(consistency.level), pages: pages() };
  };

  status: ClusterService['status'] = () => ({
    memberId,
    clusterId: 'cdf818194e3a8c32',
    name: 'default',
    version: '0.0.0',
    state: 'leader',
    leader: memberId,
    raftTerm: 2,
    commitIndex: this.#revision,
    appliedIndex: this.#revision,
    lastIndex: this.#revision,
    revision: this.#revision,
    keyCount: this.#kvs.size,
    uptimeSeconds: 1,
    peers: [],
    errors: [],
  });

  cluster: ClusterService['cluster'] = async () => ({
    clusterId: 'cdf818194e3a8c32',
    leader: memberId,
    raftTerm: 2,
    revision: this.#revision,
    members: [],
  });

  readiness: ClusterService['readiness'] = async () => this.liveness();

  liveness: ClusterService['liveness'] = () => [{ name: 'running', ok: true, reason: undefined }];

  #readHeader(level: string): AnswerHeader {
    return level === 'linearizable' ? this.header() : { ...this.header(), stalenessMs: 0 };
  }

  #select({ start, end }: KeyRange): KeyValue[] {
    return [...this.#kvs.values()]
      .filter(({ key }) => Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0))
      .sort((a, b) => Buffer.compare(a.key, b.key));
  }

  #page(kvs: readonly KeyValue[], from: number, limit: number, header: AnswerHeader): RangePage {
    const until = limit === 0 ? kvs.length : Math.min(kvs.length, from + limit);
    const more = until < kvs.length;
    const next = more ? `list.${this.#lists.size}` : undefined;
    if (next !== undefined) this.#lists.set(next, { kvs, from: until, header });
    return { header, kvs: kvs.slice(from, until), count: kvs.length, more, next };
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

function checkKey(key: Uint8Array): void {
  if (key.length > limits.keyBytesMax)
    throw new BalsaError('too_large', 'The key is too large.', { extras: { parameter: 'key' } });
}

function check(condition: Condition | undefined, present: KeyValue | undefined): void {
  if (condition === undefined) return;
  const modRevision = present?.modRevision;
  const holds =
    condition.kind === 'absent'
      ? modRevision === undefined
      : modRevision !== undefined && (condition.kind === 'exists' || condition.revisions.includes(modRevision));
  if (holds) return;
  throw new BalsaError('precondition_failed', 'The condition does not hold.', {
    extras: { modRevision: modRevision ?? null },
  });
}
