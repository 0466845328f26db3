import { test } from 'node:test';
import { databases } from '../../src/mvcc/testing/databases.ts';
import { holdAgainstModel } from './hold-against.ts';

const histories = 6;
const steps = 1500;

for (const { name, create } of databases) {
  for (let seed = 1; seed <= histories; seed++) {
    test(`model: ${name}: ${steps} random steps, seed ${seed}: the store answers as the model does`, async (t) => {
      await holdAgainstModel((await create(t)).database, seed, steps);
    });
  }
}
