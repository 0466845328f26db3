import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, ProgressLine } from './progress-line.ts';

/** A terminal, and all that was written to it. */
class Terminal {
  readonly isTTY = true;
  readonly columns: number;
  text = '';

  constructor(columns = 100) {
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }
}

test('progress: a bar where the whole is known, drawn over itself, and gone at the end', () => {
  const output = new Terminal();
  let nowMs = 0;
  const line = new ProgressLine(output, () => nowMs);
  line.bytes('verifying', { done: 0, total: 4 * 1024 * 1024 });
  nowMs = 2000;
  line.bytes('verifying', { done: 3 * 1024 * 1024, total: 4 * 1024 * 1024 });
  line.end();
  assert.deepEqual(output.text.split('\u001B[K'), [
    '\rverifying ░░░░░░░░░░░░░░░░░░░░░░░░ 0%  0 B of 4.0 MiB',
    '\rverifying ██████████████████░░░░░░ 75%  3.0 MiB of 4.0 MiB  1.5 MiB/s',
    '\r',
    '',
  ]);
});

test('progress: an amount where the whole is not known; ten times a second at most', () => {
  const output = new Terminal();
  let nowMs = 0;
  const line = new ProgressLine(output, () => nowMs);
  for (let done = 1; done <= 1000; done++) {
    nowMs = done;
    line.bytes('receiving', { done });
  }
  assert.equal(output.text.split('\r').length - 1, 10);
  assert.match(output.text, /^\rreceiving {2}1 B/);
});

test('progress: never more than the width of the terminal, which could not be drawn over', () => {
  const output = new Terminal(20);
  new ProgressLine(output).say('waiting for node4 to start and to catch up');
  assert.equal(output.text, '\rwaiting for node4 t\u001B[K');
});

test('progress: nothing where there is no terminal', () => {
  const written: string[] = [];
  const line = new ProgressLine({ write: (text) => written.push(text) });
  line.say('waiting');
  line.end();
  assert.deepEqual(written, []);
});

test('progress: bytes in words', () => {
  assert.deepEqual([0, 1023, 1024, 12_897_485, 1024 ** 4 * 2048].map(bytesOf), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '12.3 MiB',
    '2048.0 TiB',
  ]);
});
