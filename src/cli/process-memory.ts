import { setFlagsFromString } from 'node:v8';

/**
 * How a server process is best started. These are read before any of our code runs, so they cannot be set from within:
 * whoever starts the process has to (the image does, and so does `balsa cluster`).
 *
 * - glibc gives memory back to the system only from the end of its heaps. Large pieces of their own, and few heaps, keep
 *   what buffers leave behind from staying with the process: about 100 MiB less for a node under load.
 * - V8's young generation takes three times this size, and grows to it under load.
 */
export const memoryEnvironment = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;

export const memoryArguments = ['--max-semi-space-size=8'] as const;

/**
 * The old generation, and the buffers that it holds on to, grow by this part before garbage is collected; V8 would let
 * 64 MiB of dead buffers wait. Has to be set from within: `NODE_OPTIONS` does not take this flag.
 */
const heapGrowingPercent = 100;

/** For a process that is a server and nothing else: the setting is the whole process's. */
export function collectGarbageEarly(): void {
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`);
}
