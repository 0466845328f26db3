import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessUsage {
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** From Linux's /proc; see proc(5). */
export function usageOf(pid: number): ProcessUsage {
  const fields = statFields(pid);
  return { cpuSeconds: seconds(fields, 14) + seconds(fields, 15), rssBytes: memoryLine(pid, 'VmRSS') };
}

export interface ProcessMemory {
  /** Resident now, in all. */
  readonly rssBytes: number;
  /** The most that was resident at any time of the process's life, as the kernel saw it. */
  readonly peakRssBytes: number;
  /** The part of `rssBytes` that is the process's own; the rest is files that it has mapped, which the kernel can drop. */
  readonly anonymousBytes: number;
}

export function memoryOf(pid: number): ProcessMemory {
  return {
    rssBytes: memoryLine(pid, 'VmRSS'),
    peakRssBytes: memoryLine(pid, 'VmHWM'),
    anonymousBytes: memoryLine(pid, 'RssAnon'),
  };
}

/** Descriptors that the process may have open, each connection one of them. */
export function openFilesMax(pid: number): number {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'));
  return match?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match?.[1]);
}

export interface OpenFiles {
  readonly all: number;
  /** LevelDB's, whose number follows the data; it keeps up to 1,000 of each database open. */
  readonly tables: number;
}

export function openFilesOf(pid: number): OpenFiles {
  const descriptors = readdirSync(`/proc/${pid}/fd`);
  const tables = descriptors.filter((descriptor) => /\.(ldb|sst)( \(deleted\))?$/.test(targetOf(pid, descriptor)));
  return { all: descriptors.length, tables: tables.length };
}

/** Empty for one that has just been closed. */
function targetOf(pid: number, descriptor: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    return '';
  }
}

/** What the processes that this one started, and that have ended, took. */
export function endedChildrenCpuSeconds(): number {
  const fields = statFields('self');
  return seconds(fields, 16) + seconds(fields, 17);
}

/** What all processes of the machine took since it started, with the time that a hypervisor gave to other machines. */
export function machineCpuSeconds(): number {
  const [, user, nice, system, , , , , steal] = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').split(
    /\s+/,
  );
  return (Number(user) + Number(nice) + Number(system) + Number(steal)) / ticksPerSecond;
}

/** Fields of /proc/<pid>/stat, by their number in proc(5). */
type StatFields = ReadonlyMap<number, string>;

function statFields(pid: number | 'self'): StatFields {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // Field 2, the program's name in parentheses, may itself hold blanks and parentheses.
  const rest = text.slice(text.lastIndexOf(')') + 2).trim();
  return new Map(rest.split(' ').map((field, i) => [i + 3, field]));
}

/** USER_HZ: the same on every architecture that Node runs on, whatever the kernel's own clock. */
const ticksPerSecond = 100;

function seconds(fields: StatFields, number: number): number {
  return Number(fields.get(number)) / ticksPerSecond;
}

function memoryLine(pid: number, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(match?.[1] ?? Number.NaN) * 1024;
}
