import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDifference, runScript } from './scenario-run.ts';
import { Command, formatScript, parseScript, ScenarioMistake, type ScriptBlock } from './scenario-script.ts';

const story = `# One node.
add-nodes 1

# A second paragraph.
status
----
1 follower

# The end.
`;

test('scenario script: a script that is read and written again is the same text', () => {
  const script = parseScript(story.replace('add-nodes 1\n\n', 'add-nodes 1\n----\nok\n\n'));
  const text = formatScript(script, (block) => block.expected);
  assert.deepEqual(parseScript(text), script);
  assert.match(text, /^# One node\.\nadd-nodes 1\n----\nok\n\n# A second/);
});

test('scenario script: commands without their separator are refused with the line', () => {
  assert.throws(() => parseScript(story), new ScenarioMistake('line 3: expected "----" after the commands'));
});

test('scenario script: a command is words, quoted text and options; "quietly" goes in front', () => {
  const command = new Command('quietly propose 1 "a b" bytes=3 voters=(1, 2)');
  assert.equal(command.name, 'propose');
  assert.equal(command.quiet, true);
  assert.deepEqual(command.words, ['1', 'a b']);
  assert.equal(command.count('bytes'), 3);
  assert.deepEqual(command.list('voters'), ['1', '2']);
  command.ensureAllUsed();
});

test('scenario script: a misspelt option is refused, not ignored', () => {
  assert.throws(() => runScript(parseScript('add-nodes 1 voter=(1)\n----\n')), /line 1: .*has no option voter/s);
});

test('scenario script: an unknown command is refused with the list of those there are', () => {
  assert.throws(() => runScript(parseScript('add-nodes 1\nelect 1\n----\n')), /line 2: elect 1.*propose <id>/s);
});

test('scenario script: a difference shows the block, what should be printed and what is', () => {
  const block: ScriptBlock = { kind: 'block', lineNumber: 7, input: ['status'], expected: ['a', 'b', 'c'] };
  assert.equal(describeDifference(block, ['a', 'b', 'c']), undefined);
  assert.equal(describeDifference(block, ['a', 'x', 'c']), 'line 7:\n  status\n  ----\n  a\n- b\n+ x\n  c');
});
