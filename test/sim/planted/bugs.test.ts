import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plantedBugs } from './bugs.ts';
import { withBug } from './plant.ts';

test('planted bugs: each still fits the code that it is a mistake in, and has a name of its own', () => {
  for (const bug of plantedBugs) assert.notEqual(withBug(bug), '');
  assert.equal(new Set(plantedBugs.map(({ name }) => name)).size, plantedBugs.length);
});
