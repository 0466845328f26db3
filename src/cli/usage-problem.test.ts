import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandOf, usageProblem } from './usage-problem.ts';

const names = ['put', 'lease', 'lease grant', 'lease revoke'];

test('usage: a command has one word or two', () => {
  assert.equal(commandOf(['put', 'k', 'v'], names), 'put');
  assert.equal(commandOf(['lease', 'grant', '5'], names), 'lease grant');
  assert.equal(commandOf(['lease', 'gratn', '5'], names), 'lease');
  assert.equal(commandOf(['putt'], names), undefined);
});

const problems: readonly [given: string, message: string, line: RegExp][] = [
  [
    'lease gratn 5',
    'Unknown arguments: gratn, 5',
    /^there is no command "lease gratn"; did you mean balsa lease grant\?$/,
  ],
  ['lease gran', 'say what to do with leases', /^there is no command "lease gran"; did you mean balsa lease grant\?$/],
  ['lease', 'Not enough non-option arguments', /^say what to do: balsa lease grant\|revoke; see balsa lease --help$/],
  ['lease xyzzy --endpoints x', 'Unknown arguments: endpoints', /^there is no command "lease xyzzy"; see balsa lease/],
  ['lease --foo', 'Unknown argument: foo', /^balsa lease has no flag --foo; see balsa lease --help$/],
  [
    'lease grant 5 6',
    'Unknown argument: 6',
    /^balsa lease grant has no further argument 6; see balsa lease grant --help$/,
  ],
  ['lease grant', 'Not enough non-option arguments: got 0', /^balsa lease grant needs more arguments/],
];
for (const [given, message, line] of problems) {
  test(`usage: balsa ${given}`, () => {
    assert.match(usageProblem(message, given.split(' '), names), line);
  });
}
