import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type LogOptions, openLog, type ProcessLog } from './logger.ts';

const directory = mkdtempSync(join(tmpdir(), 'balsa-log-'));
after(() => rmSync(directory, { recursive: true }));

/** What `write` logs, as text. */
async function logged(options: Partial<LogOptions>, write: (log: ProcessLog) => void): Promise<string> {
  const path = join(directory, 'log');
  const fd = openSync(path, 'w');
  const log = openLog({ level: 'info', format: 'auto', member: 'node1', isTerminal: false, ...options, fd });
  write(log);
  await log.close();
  return readFileSync(path, 'utf8');
}

test('log: a line is a JSON object with level, time, member, event and facts', async () => {
  const line = await logged({}, (log) =>
    log.warn('peer refused', { peer: 'node2', reason: new Error('wrong cluster') }),
  );
  const { time, ...entry } = JSON.parse(line);
  assert.deepEqual(entry, {
    level: 'warn',
    member: 'node1',
    event: 'peer refused',
    peer: 'node2',
    reason: 'wrong cluster',
  });
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('log: an error keeps its stack', async () => {
  const line = await logged({}, (log) => log.error('failed', { error: new Error('disk') }));
  const { error } = JSON.parse(line);
  assert.equal(error.message, 'disk');
  assert.match(error.stack, /logger\.test\.ts/);
});

test('log: a child adds its facts to every line', async () => {
  const line = await logged({}, (log) => log.child({ peer: 'node2' }).info('connected', { attempt: 3 }));
  const { peer, attempt } = JSON.parse(line);
  assert.deepEqual({ peer, attempt }, { peer: 'node2', attempt: 3 });
});

const levels: readonly [level: LogOptions['level'], logged: readonly string[]][] = [
  ['debug', ['debug', 'info', 'warn', 'error', 'fatal']],
  ['info', ['info', 'warn', 'error', 'fatal']],
  ['error', ['error', 'fatal']],
  ['panic', ['fatal']],
  ['fatal', ['fatal']],
];
for (const [level, expected] of levels) {
  test(`log: level ${level} logs ${expected.join(', ')}`, async () => {
    const lines = await logged({ level }, (log) => {
      for (const each of ['debug', 'info', 'warn', 'error', 'fatal'] as const) log[each]('something');
    });
    assert.deepEqual(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).level),
      expected,
    );
  });
}

test('log: pretty is one line for a person', async () => {
  const line = await logged({ format: 'pretty' }, (log) => log.info('connected', { peer: 'node2' }));
  assert.match(line, /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: connected \{"peer":"node2"\}\n$/);
});

test('log: auto is pretty on a terminal and JSON elsewhere; json is JSON on a terminal, too', async () => {
  const say = (log: ProcessLog): void => log.info('hello');
  assert.match(await logged({ isTerminal: true }, say), /hello/);
  assert.doesNotMatch(await logged({ isTerminal: true }, say), /^\{/);
  assert.match(await logged({ isTerminal: false }, say), /^\{/);
  assert.match(await logged({ isTerminal: true, format: 'json' }, say), /^\{/);
});

test('log: closing it on the spot loses no line', async () => {
  const path = join(directory, 'log-sync');
  const fd = openSync(path, 'w');
  const log = openLog({ level: 'info', format: 'json', member: 'node1', fd });
  for (let i = 0; i < 100; i++) log.info('line', { i });
  log.closeSync();
  assert.equal(readFileSync(path, 'utf8').trimEnd().split('\n').length, 100);
  await log.close();
});

interface FloodReport {
  readonly loggedMs: number;
  readonly droppedLines: number;
  readonly rssMegabytes: number;
}

function flood(lines: number): ChildProcess {
  const program = fileURLToPath(new URL('testing/flood-log.ts', import.meta.url));
  return spawn(process.execPath, ['--import', 'tsx', program, String(lines)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}

test('log: a reader that stops neither holds the process up nor fills its memory nor keeps it from exiting', async () => {
  const lines = 200_000;
  const child = flood(lines);
  const [report] = (await once(child, 'message')) as [FloodReport];
  // 200 MB of lines: all but the few in the pipe and in the buffer are given up.
  assert.ok(report.droppedLines > lines * 0.9, `dropped ${report.droppedLines}`);
  assert.ok(report.rssMegabytes < 400, `${report.rssMegabytes} MB in memory`);
  child.send('end');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('log: a reader that comes back is told how many lines it has missed', async () => {
  const child = flood(20_000);
  const [report] = (await once(child, 'message')) as [FloodReport];
  assert.ok(report.droppedLines > 0);
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    const entry = JSON.parse(line);
    if (entry.event !== 'log lines were dropped because nobody read them') continue;
    assert.equal(entry.lines, report.droppedLines);
    break;
  }
  child.send('end');
  await once(child, 'exit');
});

test('log: a reader that went away is no reason to end', async () => {
  const child = flood(20_000);
  child.stdout?.destroy();
  await once(child, 'message');
  child.send('end');
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});
