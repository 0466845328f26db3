import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type {
  BackupService,
  ClusterService,
  KvService,
  LeaseService,
  MembershipService,
  WatchService,
} from '../../../replica/service.ts';
import { createRestApp, type RestOptions } from '../index.ts';
import { header } from './answers.ts';
import { HttpClient } from './http-client.ts';

interface Node {
  readonly clientUrls: readonly string[];
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

/** `open` of the server room, which only a test file may import here. */
export type OpenNode = (config: {
  dataDir: string;
  listenClientUrls: string[];
  listenPeerUrls: string[];
}) => Promise<Node>;

export interface RunningApi {
  readonly client: HttpClient;
  readonly url: string;
  stop(): Promise<void>;
}

export interface RunningApp {
  readonly server: Server;
  readonly client: HttpClient;
  readonly url: string;
  /** As a member closes: requests under way end first. */
  close(): Promise<void>;
}

/** A whole member, by itself, in a folder of its own. */
export async function startNode(open: OpenNode): Promise<RunningApi> {
  const dataDir = await mkdtemp(join(tmpdir(), 'balsa-rest-'));
  const anyPort = ['http://127.0.0.1:0'];
  const node = await open({ dataDir, listenClientUrls: anyPort, listenPeerUrls: anyPort });
  await node.ready;
  const url = node.clientUrls[0] ?? '';
  return {
    url,
    client: new HttpClient(url),
    stop: async () => {
      await node.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

type Service = KvService & WatchService & LeaseService & ClusterService & BackupService;

/**
 * The skin over a service that does what the test says, for what a healthy member does not do: fail in the middle of an
 * answer, have no leader, never end. A method that the test does not give rejects.
 */
export async function startApp(
  t: Pick<TestContext, 'after'>,
  service: Partial<Service>,
  options: Partial<Omit<RestOptions, 'membership'>> & { readonly membership?: Partial<MembershipService> } = {},
): Promise<RunningApp> {
  const unexpected = async (): Promise<never> => {
    throw new Error('the test gives no such method');
  };
  const complete: Service = {
    header: () => header,
    put: unexpected,
    delete: unexpected,
    deleteRange: unexpected,
    get: unexpected,
    range: unexpected,
    nextPage: unexpected,
    stream: unexpected,
    txn: unexpected,
    compact: unexpected,
    watch: unexpected,
    watches: 0,
    grant: unexpected,
    keepAlive: unexpected,
    timeToLive: unexpected,
    revoke: unexpected,
    list: unexpected,
    alarms: () => [],
    status: () => {
      throw new Error('the test gives no status');
    },
    versions: () => {
      throw new Error('the test gives no versions');
    },
    cluster: unexpected,
    readiness: unexpected,
    liveness: () => [],
    backup: unexpected,
    ...service,
  };
  // By itself, because it has a `list` as the leases do.
  const membership: MembershipService = {
    add: unexpected,
    promote: unexpected,
    remove: unexpected,
    update: unexpected,
    list: unexpected,
    moveLeader: unexpected,
    ...options.membership,
  };
  const app = createRestApp({
    kv: complete,
    watch: complete,
    leases: complete,
    cluster: complete,
    backup: complete,
    metrics: async () => ({ contentType: 'text/plain; charset=utf-8', body: '' }),
    version: '1.2.3',
    valueBytesMax: 1024,
    log: { requestFailed: () => {}, listenerFailed: () => {} },
    ...options,
    membership,
  });
  t.after(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { server: app.server, client: new HttpClient(url), url, close: () => app.close() };
}
