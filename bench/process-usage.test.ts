import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { machineCpuSeconds, memoryOf, openFilesMax, openFilesOf, usageOf } from './process-usage.ts';

it('process usage: agrees with what the process says of itself', () => {
  const { user, system } = process.cpuUsage();
  const usage = usageOf(process.pid);
  assert.ok(Math.abs(usage.cpuSeconds - (user + system) / 1e6) < 0.5, `${usage.cpuSeconds} s`);
  assert.ok(usage.rssBytes > 10e6 && usage.rssBytes < 1e9, `${usage.rssBytes} bytes`);
  assert.ok(machineCpuSeconds() > usage.cpuSeconds);
});

it('process usage: the peak is not below what is resident, and both hold more than the process has of its own', () => {
  const { rssBytes, peakRssBytes, anonymousBytes } = memoryOf(process.pid);
  assert.ok(peakRssBytes >= rssBytes && rssBytes > anonymousBytes && anonymousBytes > 1e6);
});

it('process usage: a process may open some files', () => {
  assert.ok(openFilesMax(process.pid) >= 64);
});

it("process usage: LevelDB's tables are told from other open files", () => {
  const directory = mkdtempSync(join(tmpdir(), 'balsa-bench-test-'));
  const before = openFilesOf(process.pid);
  const opened = ['000005.ldb', '000007.sst', '000004.log'].map((name) => openSync(join(directory, name), 'w'));
  try {
    const { all, tables } = openFilesOf(process.pid);
    assert.deepEqual([all - before.all, tables - before.tables], [3, 2]);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
    rmSync(directory, { recursive: true });
  }
});
