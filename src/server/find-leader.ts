import { setTimeout as sleep } from 'node:timers/promises';
import { BalsaError, connect, type MemberStatus } from '../client/index.ts';
import { askMembers } from './ask-members.ts';
import type { DirectoryFacts } from './directory-facts.ts';

/** Where leadership of a cluster was seen, without the member whose directory it is. */
export interface SeenLeader {
  /** Of the member that told, which need not be the leader. */
  readonly url: string;
}

/**
 * Asks the other members of a cluster whether it has a leader; undefined if none of them answers, or if those that do have
 * had none for `patienceMs`: an election may be under way.
 */
export async function findLeader(facts: DirectoryFacts, patienceMs: number): Promise<SeenLeader | undefined> {
  const urls = await clientUrlsOfOthers(facts);
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const answers = (await Promise.all(urls.map((url) => statusOf(url, facts.clusterId)))).filter(isThere);
    const led = answers.find(({ status }) => status.leader !== null);
    if (led !== undefined) return { url: led.url };
    if (answers.length === 0 || performance.now() > deadlineMs) return undefined;
    await sleep(pauseMs);
  }
}

/** What the directory says may be old, or not say it at all; the others know. */
async function clientUrlsOfOthers({ clusterId, memberId, members }: DirectoryFacts): Promise<readonly string[]> {
  const others = members.filter(({ id }) => id !== memberId);
  const { known } = await askMembers(
    others.flatMap(({ peerUrls }) => peerUrls),
    askMs,
  );
  const told = known
    .filter(({ description }) => description.clusterId === clusterId)
    .flatMap(({ description }) => description.members.filter(({ id }) => id !== memberId));
  return [...new Set([...others, ...told].flatMap(({ clientUrls }) => clientUrls))];
}

/** Of a member of that cluster: another process may have its port by now. */
async function statusOf(url: string, clusterId: string): Promise<{ url: string; status: MemberStatus } | undefined> {
  try {
    const client = connect({ endpoints: url, timeoutMs: askMs });
    const status = await client.status();
    return (await client.cluster()).clusterId === clusterId ? { url, status } : undefined;
  } catch (reason) {
    if (reason instanceof BalsaError) return undefined;
    throw reason;
  }
}

function isThere<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}

const askMs = 1000;
const pauseMs = 200;
