import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CpuProfile, type Frame, framesOf } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';

const frame = (functionName: string, url = '') => ({ functionName, url, lineNumber: 6 });

const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 4, 7] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('(garbage collector)') },
    { id: 4, callFrame: frame('turn', 'file:///home/someone/balsa/dist/replica/driver.js'), children: [5, 6] },
    { id: 5, callFrame: frame('', 'node:net') },
    { id: 6, callFrame: frame('put<T>', 'file:///home/someone/balsa/node_modules/abstract-level/index.js') },
    { id: 7, callFrame: frame('turn', 'file:///home/someone/balsa/dist/replica/driver.js') },
  ],
  samples: [2, 3, 4, 5, 6, 7],
  timeDeltas: [1000, 100, 200, 300, 50, 350],
};

const outline = ({ name, origin, totalUs, callees }: Frame): unknown =>
  callees.length === 0 ? [name, origin, totalUs] : [name, origin, totalUs, callees.map(outline)];

test('flame graph: calls by the same callers are one frame, and idle time is none', () => {
  assert.deepEqual(outline(framesOf(profile)), [
    'all',
    'native',
    1000,
    [
      [
        'turn replica/driver.js:7',
        'balsa',
        900,
        [
          ['(anonymous) node:net:7', 'node', 300],
          ['put<T> abstract-level/index.js:7', 'package', 50],
        ],
      ],
      ['(garbage collector)', 'garbage', 100],
    ],
  ]);
});

test('flame graph: width is time, and names are told in full', () => {
  const svg = flameGraph(framesOf(profile), 'A & B');
  assert.match(svg, /A &#38; B/);
  assert.match(svg, /<title>turn replica\/driver\.js:7: 90\.0 %<\/title><rect x="0\.0" y="72" width="1080\.0"/);
  assert.match(
    svg,
    /<title>put&#60;T&#62; abstract-level\/index\.js:7: 5\.0 %<\/title><rect x="360\.0" y="88" width="60\.0"/,
  );
  assert.match(svg, /\(garbage collector\): 10\.0 %<\/title><rect x="1080\.0" y="72" width="120\.0"/);
});
