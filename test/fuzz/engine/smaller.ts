import type { Input, Target } from './target.ts';

/**
 * Drops what is not needed to fail, as long as that makes progress and there is time. `fails` runs an input and says
 * whether it fails in the same way.
 */
export async function minimise(
  input: Input,
  fails: (input: Input) => Promise<boolean>,
  options: { readonly smaller: Target['smaller']; readonly budgetMs: number },
): Promise<Input> {
  const deadlineMs = performance.now() + options.budgetMs;
  const candidates = options.smaller ?? smallerBytes;
  let smallest = input;
  for (let isProgress = true; isProgress; ) {
    isProgress = false;
    for (const candidate of candidates(smallest)) {
      if (performance.now() > deadlineMs) return smallest;
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      isProgress = true;
      break;
    }
  }
  return smallest;
}

/** Without a half, a quarter … a byte of it, at each place; and last, zeros for what is not zero. */
export function* smallerBytes({ kind, bytes }: Input): Iterable<Input> {
  for (let size = Math.ceil(bytes.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < bytes.length; at += size) {
      yield { kind, bytes: Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]) };
    }
  }
  if (bytes.length > 512) return;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0) continue;
    const changed = Buffer.from(bytes);
    changed[at] = 0;
    yield { kind, bytes: changed };
  }
}

/** The same for JSON: without an item of a list or a field, with half of a text. */
export function* smallerJson({ kind, bytes }: Input): Iterable<Input> {
  const value: unknown = JSON.parse(bytes.toString());
  for (const smaller of smallerValues(value)) yield { kind, bytes: Buffer.from(JSON.stringify(smaller)) };
}

function* smallerValues(value: unknown): Iterable<unknown> {
  if (typeof value === 'string' && value.length > 0) {
    yield value.slice(0, Math.floor(value.length / 2));
    yield value.slice(Math.ceil(value.length / 2));
    yield value.slice(1);
    yield value.slice(0, -1);
  } else if (Array.isArray(value)) {
    if (value.length > 3) {
      yield value.slice(0, Math.floor(value.length / 2));
      yield value.slice(Math.floor(value.length / 2));
    }
    for (let i = 0; i < value.length; i++) yield value.toSpliced(i, 1);
    for (let i = 0; i < value.length; i++) for (const item of smallerValues(value[i])) yield value.with(i, item);
  } else if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value);
    for (let i = 0; i < fields.length; i++) yield Object.fromEntries(fields.toSpliced(i, 1));
    for (const [name, field] of fields) for (const item of smallerValues(field)) yield { ...value, [name]: item };
  }
}
