import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { readCorpus } from './engine/case-file.ts';
import { judge } from './engine/judge.ts';
import { type Finding, runSession } from './engine/session.ts';
import { targets } from './targets/index.ts';

/** For all targets that need no process of their own, together. */
const sliceMs = 5000;

for (const target of targets) {
  const corpus = readCorpus(target.name);
  if (corpus.length === 0) continue;
  test(`corpus: ${target.name}: inputs that once did harm, or might, do none`, async () => {
    const open = await target.open();
    try {
      for (const { name, input } of corpus) assert.equal((await judge(open, input))?.detail, undefined, name);
    } finally {
      await open.close?.();
    }
  });
}

const seed = randomInt(2 ** 20);
const near = targets.filter(({ where }) => where === 'here');

for (const target of near) {
  test(`fuzz: ${target.name}: inputs that are almost right are answered or refused (seed ${seed})`, async () => {
    const open = await target.open();
    try {
      const findings: Finding[] = [];
      const endMs = performance.now() + sliceMs / near.length;
      await runSession(open, target.smaller?.bind(target), {
        seed,
        from: 0,
        isOver: () => performance.now() >= endMs || findings.length > 0,
        onFinding: (finding) => findings.push(finding),
      });
      assert.deepEqual(findings, [], `npm run fuzz -- --target ${target.name} --seed ${seed}`);
    } finally {
      await open.close?.();
    }
  });
}
