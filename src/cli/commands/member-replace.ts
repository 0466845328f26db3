import type { CommandModule } from 'yargs';
import type { ChangedMembership, Member } from '../../client/index.ts';
import { peerUrls } from '../argument-values.ts';
import { type ClientArguments, openClient, withClientOptions } from '../client-options.ts';
import { nameOf } from '../member-lookup.ts';
import { write, writeJson } from '../output.ts';
import { ProgressLine } from '../progress-line.ts';
import { interruptedReplacement, type ReplacementListener, replaceMember } from '../replace-member.ts';
import { shellLine, startLines } from '../start-lines.ts';
import { untilStopped } from '../until-stopped.ts';

interface MemberReplaceArguments extends ClientArguments {
  readonly old: string;
  readonly name: string | undefined;
  readonly 'peer-urls': string | undefined;
}

const pauseMs = 500;

/** Waits for what people have to do, and may be interrupted and repeated. */
export const memberReplaceCommand: CommandModule<object, MemberReplaceArguments> = {
  command: 'replace <old>',
  describe: 'Add a new member, wait until it votes, and remove the old one',
  builder: (program) =>
    withClientOptions(program)
      .positional('old', {
        type: 'string',
        demandOption: true,
        describe: 'Name or id of the one that goes, up or down',
      })
      .option('name', { type: 'string', requiresArg: true, describe: 'The --name of the new one; without it, the old' })
      .option('peer-urls', {
        type: 'string',
        requiresArg: true,
        describe: 'Where the new one will be; without it, where the old one was, which has to be down',
      })
      .example('$0 member replace node3 --name node4 --peer-urls http://10.0.0.4:2380', 'by another machine')
      .example('$0 member replace node3', 'by itself, after its disk was lost: it begins anew at its address')
      .epilogue('Goes on by itself once the new member is started. Interrupted, it goes on when it is repeated.'),
  handler: async (given) => {
    const client = openClient(given);
    const line = new ProgressLine();
    const urls = given['peer-urls'] === undefined ? undefined : peerUrls(given['peer-urls']);
    const request = { old: given.old, name: given.name, peerUrls: urls };
    const listener = listening(line, client.endpoints[0] ?? '');
    const outcome: { successor?: Member } = {};
    try {
      await untilStopped(async (signal) => {
        outcome.successor = await replaceMember(client, request, listener, { signal, pauseMs });
      });
    } finally {
      line.end();
    }
    const { successor } = outcome;
    if (successor === undefined) throw interruptedReplacement();
    if (given.output === 'json') return writeJson({ member: successor });
    await write(
      given.output === 'simple' ? `${successor.id}\n` : `${nameOf(successor)} votes. ${given.old} is gone.\n`,
    );
  },
};

/** Says on standard error what happens: to a terminal how far it is, elsewhere each thing once. */
function listening(line: ProgressLine, endpoint: string): ReplacementListener {
  let told = '';
  const say = (text: string): void => {
    line.end();
    process.stderr.write(`${text}\n`);
  };
  return {
    onAdded: ({ member, members }: ChangedMembership) => {
      const known = members.flatMap(({ clientUrls }) => clientUrls);
      const { join } = startLines(member, members, known[0] ?? endpoint);
      say(`${nameOf(member)} is added. Start it, with an empty data directory:\n\n  ${shellLine(join)}\n`);
    },
    onRemoved: (member) => say(`${nameOf(member)} is removed.`),
    onWaiting: (what, detail) => {
      if (what !== told) say(`Waiting for ${what} …`);
      told = what;
      line.say(`  ${detail}`);
    },
  };
}
