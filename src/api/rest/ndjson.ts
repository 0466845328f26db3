import type { KeyValue } from '../../contract/kv.ts';
import { type KeyValueFormat, keyValueJson } from './key-value-json.ts';

/**
 * Pages as text of one JSON object a line, a page at a time. Leaving early, as a stream does whose client went away,
 * leaves the pages as well.
 */
export async function* ndjsonLines(
  pages: AsyncIterable<readonly KeyValue[]>,
  format: KeyValueFormat,
  onError: (reason: unknown) => void,
): AsyncGenerator<string, void, undefined> {
  try {
    for await (const page of pages) {
      let lines = '';
      for (const kv of page) lines += `${keyValueJson(kv, format)}\n`;
      if (lines !== '') yield lines;
    }
  } catch (reason) {
    onError(reason);
    throw reason;
  }
}
