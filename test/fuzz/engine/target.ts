import type { Random } from '../../../src/base/random.ts';

/**
 * What is put in: bytes, and which of the target's doors they go to. Everything else that a run needs by chance, such as
 * where a stream is split, it draws from the bytes, so that an input alone can be run again.
 */
export interface Input {
  readonly kind: string;
  readonly bytes: Buffer;
}

/** A part of Balsa that takes what others sent or a disk kept. */
export interface Target {
  readonly name: string;
  /** One line: what is put in where. */
  readonly about: string;
  /** Its share of the time, beside the others'. */
  readonly weight: number;
  /** `process`: what is tested runs in a process of its own, so that it takes seconds to begin. */
  readonly where: 'here' | 'process';
  /** Inputs a little smaller, the boldest first; without it bytes are dropped. */
  smaller?(input: Input): Iterable<Input>;
  open(): Promise<OpenTarget>;
}

export interface OpenTarget {
  make(random: Random): Input;
  /**
   * Throws, or rejects, if the input did what it must not: anything but an answer, or the error that is documented for it.
   * A promise only where something asynchronous runs: awaiting costs more than most inputs.
   */
  run(input: Input): void | Promise<void>;
  /** Bytes that any input may allocate, where a run does much whatever the input is; without it a few MiB. */
  readonly allocationBytesMin?: number;
  /** Milliseconds of processor time that the tested process has used; without it this process's own. */
  cpuMs?(): number;
  /** Of the tested process, once its garbage is collected; without it this process's own. */
  memory?(): Promise<MemoryUse>;
  close?(): Promise<void>;
}

/** In bytes. */
export interface MemoryUse {
  /** By JavaScript objects and buffers. */
  readonly used: number;
  /** By the whole process, as the operating system counts. */
  readonly resident: number;
}

/** An input did something that nobody promised. */
export class Broken extends Error {
  override readonly name = 'Broken';
}
