import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { FrameStream } from './frame-stream.ts';
import { SteppingClock } from './testing/stepping-clock.ts';

test('stream: while the kernel takes nothing, nothing more is asked for; then everything at once', async () => {
  const { kernel, stream, say } = start();
  say('a');
  stream.writeSoon();
  await turn();
  for (const word of ['b', 'c', 'd']) {
    say(word);
    stream.writeSoon();
    await turn();
  }
  assert.deepEqual([kernel.taken, stream.writingBytes], [['a'], 1]);
  await kernel.goOn();
  assert.deepEqual(kernel.taken, ['a', 'bcd']);
});

test('stream: what one stack and its promises say leaves together, and what a turn says as well', async () => {
  const { kernel, stream, say } = start();
  stream.writeSoon();
  say('a');
  Promise.resolve().then(() => say('b'));
  await turn();
  await kernel.goOn();
  stream.writeAtEndOfTurn();
  process.nextTick(() => setImmediate(() => say('too late')));
  process.nextTick(() => say('c'));
  await turn();
  assert.deepEqual(kernel.taken, ['ab', 'c']);
});

test('stream: a long frame is handed over in pieces', async () => {
  const { kernel, stream, say } = start();
  say('x'.repeat(600 * 1024));
  stream.writeSoon();
  await turn();
  const lengths: number[] = [];
  while (kernel.isWaiting) {
    lengths.push(kernel.taken.at(-1)?.length ?? 0);
    await kernel.goOn();
  }
  assert.deepEqual(lengths, [256 * 1024, 256 * 1024, 88 * 1024]);
});

test('stream: a write that had to wait and went through is a sign of life; one that did not wait is none', async () => {
  const { clock, kernel, stream, say } = start();
  stream.expectSign();
  say('a');
  stream.writeSoon();
  await turn();
  clock.leap(500);
  assert.deepEqual([stream.overdueMs(), stream.silentMs()], [500, 500]);
  await kernel.goOn();
  assert.deepEqual([stream.overdueMs(), stream.silentMs()], [0, 0]);

  kernel.isFull = false;
  clock.leap(100);
  say('b');
  stream.writeSoon();
  await turn();
  assert.deepEqual([stream.overdueMs(), stream.silentMs()], [100, 100]);
});

test('stream: nothing is overdue of a peer that was asked nothing; it owes room for a write', async () => {
  const { clock, stream, say } = start();
  clock.leap(1000);
  assert.deepEqual([stream.overdueMs(), stream.silentMs()], [0, 1000]);
  say('a');
  stream.writeSoon();
  await turn();
  clock.leap(300);
  assert.equal(stream.overdueMs(), 300);
  stream.forgiveSilence();
  assert.deepEqual([stream.overdueMs(), stream.silentMs()], [0, 0]);
});

test('stream: bytes from the other side are a sign of life, and pay what it owed', () => {
  const { clock, kernel, stream } = start();
  stream.expectSign();
  clock.leap(500);
  kernel.emit('data', Buffer.from([0]));
  clock.leap(10);
  assert.deepEqual([stream.overdueMs(), stream.silentMs()], [0, 10]);
});

test('stream: it closes once, whatever happens', async () => {
  const { kernel, stream, closed } = start();
  kernel.emit('error', new Error('broken'));
  kernel.emit('end');
  stream.fail('later');
  stream.close('latest');
  await turn();
  assert.deepEqual(closed, ['broken']);
});

/** A socket whose kernel takes a write only when it is told to. */
class Kernel extends Duplex {
  readonly taken: string[] = [];
  isFull = true;
  #goOn: (() => void) | undefined;

  get isWaiting(): boolean {
    return this.#goOn !== undefined;
  }

  async goOn(): Promise<void> {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
    await turn();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this._writev([{ chunk }], done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.taken.push(Buffer.concat(chunks.map(({ chunk }) => chunk)).toString());
    if (this.isFull) this.#goOn = done;
    else done();
  }
}

function start() {
  const clock = new SteppingClock();
  const kernel = new Kernel();
  const frames: Buffer[] = [];
  const closed: string[] = [];
  const stream = new FrameStream(kernel, clock, {
    onBody: () => {},
    takeFrames: () => frames.splice(0),
    onClose: (reason) => closed.push(reason),
  });
  stream.start(Buffer.alloc(0));
  return { clock, kernel, stream, closed, say: (text: string) => void frames.push(Buffer.from(text)) };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
