import assert from 'node:assert/strict';
import { it } from 'node:test';
import { machineCpuSeconds, memoryOf, openFilesMax, usageOf } from './process-usage.ts';

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
