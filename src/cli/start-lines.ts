import type { Member } from '../client/index.ts';

/** How a member that has been added is started: each a whole command, one argument an element. */
export interface StartLines {
  /** Finds the others by one of their client URLs. */
  readonly join: readonly string[];
  /** etcd's way: names all members. */
  readonly existing: readonly string[];
}

/** @param clientUrl Where the cluster has been reached just now. */
export function startLines(member: Member, members: readonly Member[], clientUrl: string): StartLines {
  const name = member.name || 'NAME';
  const clientUrls = member.peerUrls.slice(0, 1).map(clientUrlBeside);
  const own = [
    ['--name', name],
    ['--initial-advertise-peer-urls', member.peerUrls.join(',')],
    ['--listen-peer-urls', member.peerUrls.map(listening).join(',')],
    ['--advertise-client-urls', clientUrls.join(',')],
    ['--listen-client-urls', clientUrls.map(listening).join(',')],
  ].flat();
  const others = members.filter(({ id }) => id !== member.id);
  // All of them have to be there; one that has not started yet may have no name.
  const initialCluster = [...others, { ...member, name }].flatMap(({ id, name: known, peerUrls }) =>
    peerUrls.map((url) => `${known || id}=${url}`),
  );
  return {
    join: ['balsa', 'serve', ...own, '--join', clientUrl],
    existing: [
      'balsa',
      'serve',
      ...own,
      '--initial-cluster-state',
      'existing',
      '--initial-cluster',
      initialCluster.join(','),
    ],
  };
}

/** As a shell reads it, over several lines: a flag and its value each. */
export function shellLine(words: readonly string[]): string {
  return words
    .map(quoted)
    .map((word, i) => (i > 0 && word.startsWith('--') ? `\\\n    ${word}` : word))
    .join(' ');
}

/** The ports go in pairs: 2379 and 2380, 22379 and 22380. */
function clientUrlBeside(peerUrl: string): string {
  const { protocol, hostname, port } = new URL(peerUrl);
  return `${protocol}//${hostname}:${Number(port || 80) - 1}`;
}

/** A server listens on addresses, not on names. */
function listening(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  const isAddress = hostname === 'localhost' || hostname.startsWith('[') || /^[0-9.]+$/.test(hostname);
  return `${protocol}//${isAddress ? hostname : '0.0.0.0'}:${port || 80}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
