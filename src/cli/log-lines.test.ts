import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colorsFor } from './colors.ts';
import { shortLogLine } from './log-lines.ts';

const plain = colorsFor({ isTTY: false }, {});
const colored = colorsFor({ isTTY: true }, {});

test('log lines: time, event and facts of a member in one short line', () => {
  const line =
    '{"level":"info","time":"2030-01-01T10:15:02.123Z","member":"node1","urls":["http://localhost:2379"],"reason":"a b","peer":"n2","event":"serving clients"}';
  assert.equal(
    shortLogLine(line, plain),
    '10:15:02.123 serving clients urls=["http://localhost:2379"] reason="a b" peer=n2',
  );
});

test('log lines: a warning and an error stand out, and an error is shown without its stack', () => {
  assert.equal(shortLogLine('{"level":"warn","event":"peer refused"}', plain), 'WARN peer refused');
  const line = '{"level":"error","event":"failed","error":{"message":"disk","stack":"Error: disk\\n at …"}}';
  assert.equal(shortLogLine(line, plain), 'ERROR failed error="disk"');
});

test('log lines: what is not a log line stays as it is', () => {
  for (const line of ['balsa: cannot start', '{"a":1}', '{broken', '']) assert.equal(shortLogLine(line, plain), line);
});

test('colours: only where the terminal shows them and the user has not refused them', () => {
  assert.equal(plain.warn('x'), 'x');
  assert.equal(colored.warn('x'), '\u001B[33mx\u001B[0m');
  assert.equal(colorsFor({ isTTY: true }, { NO_COLOR: '1' }).warn('x'), 'x');
  assert.equal(colorsFor({ isTTY: false }, { FORCE_COLOR: '1' }).warn('x'), '\u001B[33mx\u001B[0m');
});
