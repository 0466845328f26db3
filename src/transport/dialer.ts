import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { MemberId } from '../raft/types.ts';
import { describeError } from './describe-error.ts';
import { peerPath, upgradeToken } from './handshake.ts';

export interface DialEvents {
  /** The socket is a byte stream from here on; `head` came with the answer. */
  onStream(socket: Socket, head: Buffer): void;
  /** `refused`: somebody answered, and not as a peer does. Called at most once, and never after `onStream`. */
  onFailure(kind: 'failed' | 'refused', reason: string): void;
}

export function notDialable(member: MemberId, urls: readonly string[]): string {
  return `member ${member} cannot be dialed at ${urls.join(', ') || 'no URL'}: http://host:port is needed`;
}

/** Asks `url` for a peer stream. The returned function gives up; nothing is called after it. */
export function dial(url: string, events: DialEvents): () => void {
  const { hostname, port } = new URL(url);
  let done = false;
  const upgrade: ClientRequest = request({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 80 : Number(port),
    path: peerPath,
    agent: false,
    maxHeaderSize: 8192,
    headers: { connection: 'Upgrade', upgrade: upgradeToken },
  });
  upgrade.on('socket', (socket) => socket.setNoDelay(true));
  upgrade.on('upgrade', (response: IncomingMessage, socket: Socket, head: Buffer) => {
    // Before anything else: without a listener an error of the socket would end the process.
    socket.on('error', () => {});
    if (done) return socket.destroy();
    if (response.headers.upgrade !== upgradeToken) {
      socket.destroy();
      return fail('refused', `the server at ${url} upgrades to ${response.headers.upgrade}, not to ${upgradeToken}`);
    }
    done = true;
    events.onStream(socket, head);
  });
  upgrade.on('response', (response) => {
    response.on('error', () => {});
    fail('refused', `the server at ${url} answered ${response.statusCode}: is that the peer URL of a member?`);
  });
  upgrade.on('error', (error) => fail('failed', describeError(error)));
  upgrade.end();
  return giveUp;

  function fail(kind: 'failed' | 'refused', reason: string): void {
    if (done) return;
    giveUp();
    events.onFailure(kind, reason);
  }

  function giveUp(): void {
    done = true;
    upgrade.destroy();
  }
}
