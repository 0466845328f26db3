import type { CommandModule } from 'yargs';

/** What a server needs is loaded by this command only: the commands for scripts start in half the time. */
export const serveCommand: CommandModule = {
  command: 'serve',
  describe: 'Run one member of a cluster',
  builder: async (program) => (await import('../serve-flags.ts')).describeServeFlags(program),
  handler: async (flags) => (await import('../run-server.ts')).runServer(flags),
};
