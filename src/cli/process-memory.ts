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
