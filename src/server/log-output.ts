import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { pino } from 'pino';

/** Where log lines go; see `openLogOutput`. */
export interface LogOutput {
  readonly droppedLines: number;
  write(text: string): void;
  /** Called with the number of lines lost each time lines can be written again. */
  onRecovered(callback: (lines: number) => void): void;
  close(): Promise<void>;
  closeSync(): void;
}

/** Lines waiting for a slow reader: enough for any burst, and nothing beside the memory of a member. */
const waitingBytesMax = 4 * 1024 * 1024;

/** How long the last lines may take to leave at the end of the process. */
const closeTimeoutMs = 500;

/**
 * Writes lines without ever waiting for their reader. A reader that stops (a paused terminal, `docker logs` that hangs)
 * makes lines wait in memory, then be dropped and counted; a reader that went away makes them all be dropped. With a
 * write that blocks, as in etcd issue 22214, the member itself would stop.
 *
 * Pipes and sockets are written by the event loop. Files and terminals cannot be, so the thread pool writes them
 * (sonic-boom). It does not write pipes: a thread that is stuck in a pipe keeps the process from exiting.
 */
export function openLogOutput(fd: number): LogOutput {
  const kind = fstatSync(fd);
  return kind.isFIFO() || kind.isSocket() ? pipeOutput(fd) : fileOutput(fd);
}

function pipeOutput(fd: number): LogOutput {
  const socket = fd === 1 ? process.stdout : new Socket({ fd, readable: false, writable: true });
  const losses = new Losses();
  let isBroken = false;
  socket.on('error', () => {
    isBroken = true;
  });
  socket.on('drain', () => losses.report());
  return {
    get droppedLines() {
      return losses.total;
    },
    write(text) {
      if (isBroken || socket.writableLength + text.length > waitingBytesMax) losses.add();
      else socket.write(text);
    },
    onRecovered: (callback) => losses.onReport(callback),
    close: () =>
      within(closeTimeoutMs, (done) => {
        if (isBroken || socket.writableLength === 0) done();
        else socket.write('', () => done());
      }),
    // The event loop writes to a pipe at once as long as there is room in it, so nothing waits unless the reader hangs.
    closeSync: () => undefined,
  };
}

function fileOutput(fd: number): LogOutput {
  const file = pino.destination({ fd, sync: false, minLength: 0, maxLength: waitingBytesMax });
  const losses = new Losses();
  // A full disk: lines wait, are tried again with the next one, and are dropped once too many wait.
  file.on('error', () => undefined);
  file.on('drop', () => losses.add());
  file.on('drain', () => losses.report());
  return {
    get droppedLines() {
      return losses.total;
    },
    write: (text) => void file.write(text),
    onRecovered: (callback) => losses.onReport(callback),
    close: () =>
      within(closeTimeoutMs, (done) => {
        file.once('finish', done);
        file.end();
      }),
    closeSync: () => file.flushSync(),
  };
}

class Losses {
  total = 0;
  #reported = 0;
  #callback: (lines: number) => void = () => undefined;

  add(): void {
    this.total += 1;
  }

  onReport(callback: (lines: number) => void): void {
    this.#callback = callback;
  }

  report(): void {
    const lines = this.total - this.#reported;
    if (lines === 0) return;
    this.#reported = this.total;
    this.#callback(lines);
  }
}

function within(timeoutMs: number, work: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    work(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
