/** Where a member of that name is dialed. */
export function peerUrlOf(name: string): string {
  return `http://${name}:2380`;
}
