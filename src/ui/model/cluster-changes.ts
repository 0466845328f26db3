import type { LeaseTime } from './answers.ts';
import { getJson, request } from './api.ts';

/** Changes of the cluster and of leases. Members are long in coming: a learner may have to be filled first. */
const changeTimeoutMs = 30_000;

/** `auto`: it votes as soon as it has caught up. `manual`: when it is promoted. */
export async function addMember(peerUrls: readonly string[], promote: 'auto' | 'manual'): Promise<void> {
  await change('POST', '/v1/cluster/members', { peerUrls, promote });
}

export async function promoteMember(id: string): Promise<void> {
  await change('POST', `/v1/cluster/members/${id}/promote`);
}

export async function removeMember(id: string): Promise<void> {
  await change('DELETE', `/v1/cluster/members/${id}`);
}

export async function transferLeadership(id: string): Promise<void> {
  await change('POST', '/v1/cluster/leader', { to: id });
}

export async function leaseIds(signal: AbortSignal): Promise<readonly string[]> {
  const { leases } = await getJson<{ readonly leases: readonly { readonly id: string }[] }>('/v1/leases', { signal });
  return leases.map(({ id }) => id);
}

export function leaseTime(id: string, options: { keys: boolean; signal: AbortSignal }): Promise<LeaseTime> {
  return getJson<LeaseTime>(`/v1/leases/${id}`, { query: { keys: options.keys }, signal: options.signal });
}

export async function grantLease(ttl: number): Promise<string> {
  const response = await request('/v1/leases', { method: 'POST', body: { ttl } });
  return ((await response.json()) as { readonly id: string }).id;
}

export async function renewLease(id: string): Promise<void> {
  await request(`/v1/leases/${id}/keepalive`, { method: 'POST' });
}

export async function revokeLease(id: string): Promise<void> {
  await request(`/v1/leases/${id}`, { method: 'DELETE' });
}

async function change(method: 'POST' | 'DELETE', path: string, body?: object): Promise<void> {
  await request(path, { method, timeoutMs: changeTimeoutMs, ...(body !== undefined && { body }) });
}
