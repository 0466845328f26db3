import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProcessCluster } from './support/processes.ts';

/** What a browser would load for a document or a module, as URLs. */
function partsOf(url: URL, text: string): URL[] {
  const named = url.pathname.endsWith('.js')
    ? text.matchAll(/(?:from|import)\s*\(?["'](\.[^"']+)["']/g)
    : url.pathname.endsWith('.css')
      ? text.matchAll(/url\("([^"]+)"\)/g)
      : text.matchAll(/(?:src|href)="([^"]+)"/g);
  return [...named].map(([, path = '']) => new URL(path, url));
}

test('page: the package has every part of it, and none of another origin', async () => {
  await using cluster = await ProcessCluster.start(1);
  const first = new URL(`${cluster.node(0).url}/ui`);
  const seen = new Map<string, number>();
  const waiting = [first];
  for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
    if (seen.has(url.href)) continue;
    const answer = await fetch(url);
    seen.set(url.href, answer.status);
    assert.equal(url.origin, first.origin, url.href);
    assert.equal(answer.status, 200, url.href);
    waiting.push(...partsOf(new URL(answer.url), await answer.text()));
  }
  assert.ok(seen.size > 30, `${seen.size} parts`);
});
