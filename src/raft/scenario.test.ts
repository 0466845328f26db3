import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeDifference, runScript } from './testing/scenario-run.ts';
import { formatScript, parseScript } from './testing/scenario-script.ts';

const folder = new URL('./testdata/', import.meta.url);
const isRewriting = process.env.SCENARIO_REWRITE === '1';
const advice =
  'If the new output is right by the Raft paper, write it with\n' +
  '  SCENARIO_REWRITE=1 node --import tsx --test src/raft/scenario.test.ts\nand review the difference in git.';

for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt'))) {
  test(`raft: scenario: ${name.replace(/\.txt$/, '').replaceAll('_', ' ')}`, () => {
    const file = new URL(name, folder);
    const text = readFileSync(file, 'utf8');
    const script = parseScript(text);
    const outputs = runScript(script);
    if (isRewriting) {
      writeFileSync(
        file,
        formatScript(script, (block) => outputs.get(block) ?? []),
      );
      return;
    }
    const differences = [...outputs].flatMap(([block, output]) => describeDifference(block, output) ?? []);
    assert.ok(differences.length === 0, `src/raft/testdata/${name}, ${differences.join('\n\n')}\n\n${advice}`);
  });
}
