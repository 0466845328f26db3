/**
 * From 1 to 2^63 - 1, as etcd's int64; a bigint, because a number would round it. As text always 16 hexadecimal digits,
 * as etcdctl prints it.
 */
export type LeaseId = bigint;

export const leaseIdMax: LeaseId = 2n ** 63n - 1n;

export function formatLeaseId(id: LeaseId): string {
  return id.toString(16).padStart(16, '0');
}

/** Hexadecimal, with or without leading zeros; undefined if it is no lease id. */
export function parseLeaseId(text: string): LeaseId | undefined {
  if (!/^[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const id = BigInt(`0x${text}`);
  return id >= 1n && id <= leaseIdMax ? id : undefined;
}
