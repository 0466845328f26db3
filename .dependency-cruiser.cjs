/**
 * The floors of docs/architecture.md: a room imports only rooms on lower floors. Type imports count too.
 * A room that is missing from the table fails the check, so a new room has to be given its floor.
 */
const rooms = {
  base: [],
  contract: [],
  client: ['contract', 'base'],
  ui: [],
  raft: ['base'],
  mvcc: ['contract', 'base'],
  storage: ['raft', 'base'],
  transport: ['raft', 'base'],
  replica: ['transport', 'storage', 'mvcc', 'raft', 'contract', 'base'],
  api: ['replica', 'contract', 'base'],
  server: ['api', 'replica', 'transport', 'storage', 'mvcc', 'raft', 'client', 'contract', 'base'],
  cli: ['server', 'client', 'contract', 'base'],
};

/** Rooms that get time, randomness, network and disk passed in, and never name them. */
const pure = ['base', 'contract', 'raft', 'mvcc', 'replica'];

const floors = Object.entries(rooms).map(([room, below]) => ({
  name: `floor-${room}`,
  comment: `src/${room} may import only: ${below.join(', ') || 'nothing'} (docs/architecture.md, "The house")`,
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: '\\.test\\.ts$' },
  to: { path: '^src/', pathNot: `^src/(${[room, ...below].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...floors,
    {
      name: 'unknown-room',
      comment: 'a new folder in src/ needs a floor in .dependency-cruiser.cjs and docs/architecture.md',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(rooms).join('|')})/` },
    },
    {
      name: 'pure-rooms',
      comment: 'time, randomness, network, disk and processes are passed in, so that the simulator runs the same code',
      severity: 'error',
      from: { path: `^src/(${pure.join('|')})/`, pathNot: '\\.test\\.ts$|/testing/' },
      to: { dependencyTypes: ['core'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-tests-in-production',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$|/testing/' },
      to: { path: '\\.test\\.ts$|/testing/|^test/|^bench/' },
    },
    {
      name: 'no-dev-dependencies-in-production',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$|/testing/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
