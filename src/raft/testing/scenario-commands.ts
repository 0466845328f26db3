import { defaultRaftOptions } from '../index.ts';
import type { MemberId } from '../types.ts';
import type { ScenarioCluster } from './scenario-cluster.ts';
import {
  describeAct,
  describeConfiguration,
  describeFollower,
  describeHardState,
  describeLog,
  describeMessage,
  describeStatus,
} from './scenario-describe.ts';
import { forgedMessage } from './scenario-forge.ts';
import type { MessageSelection } from './scenario-network.ts';
import { type Command, ScenarioMistake } from './scenario-script.ts';

interface CommandDefinition {
  readonly usage: string;
  run(cluster: ScenarioCluster, command: Command): void;
}

/** Everything a scenario can say. `<ids>` are node ids with spaces between; left out, they are all nodes that are up. */
export const scenarioCommands: Readonly<Record<string, CommandDefinition>> = {
  // The cluster.
  'add-nodes': {
    usage: 'add-nodes <ids> [voters=(1,2)] [learners=(3)] [log=(1,1,2)] [term=] [vote=] …',
    run: addNodes,
  },
  'set-election-timeout': { usage: 'set-election-timeout <ids> ticks=13', run: setElectionTimeout },
  crash: { usage: 'crash <ids> [write=done]', run: crash },
  restart: { usage: 'restart <ids> [applied=0]', run: restart },
  // What the driver of a node asks of its core.
  tick: { usage: 'tick [<ids>] [times=5 | until=ready]', run: tick },
  campaign: { usage: 'campaign <id>', run: campaign },
  propose: { usage: 'propose <id> "data" … [bytes=100]', run: propose },
  'read-index': { usage: 'read-index <id> context=7', run: readIndex },
  change: { usage: 'change <id> voters=(1,2,4) [learners=(5)]', run: change },
  'install-snapshot': { usage: 'install-snapshot <id> from=1 [at=5]', run: installSnapshot },
  truncate: { usage: 'truncate <id> to=5', run: truncate },
  transfer: { usage: 'transfer <id> to=2', run: transfer },
  'step-down': { usage: 'step-down <id>', run: stepDown },
  'report-unreachable': { usage: 'report-unreachable <id> peer=2', run: reportUnreachable },
  // The work that cores ask for.
  'process-ready': { usage: 'process-ready [<ids>]', run: processReady },
  stabilize: { usage: 'stabilize [<ids>]', run: stabilize },
  'pass-time': { usage: 'pass-time ticks=10', run: passTime },
  'hold-disk': { usage: 'hold-disk <ids>', run: holdDisk },
  persist: { usage: 'persist <ids>', run: persist },
  'release-disk': { usage: 'release-disk <ids>', run: releaseDisk },
  // The network. `<link>` is 1->2, 1->, ->2 or ->.
  deliver: { usage: 'deliver [<link>] [type=heartbeat] [number=2 | count=1]', run: deliver },
  drop: { usage: 'drop [<link>] [type=heartbeat] [number=2 | count=1]', run: drop },
  duplicate: { usage: 'duplicate [<link>] [type=heartbeat] [number=2 | count=1]', run: duplicate },
  delay: { usage: 'delay [<link>] [type=heartbeat] [number=2 | count=1]', run: delay },
  'deliver-late': { usage: 'deliver-late [<link>] [type=heartbeat] [number=2 | count=1]', run: deliverLate },
  forge: { usage: 'forge <link> type=appendEntries term=3 previous=2@1 commit=4 [log=(1,3)]', run: forge },
  network: { usage: 'network [<link>] [type=heartbeat]', run: showNetwork },
  partition: { usage: 'partition <ids> | <ids> …', run: partition },
  cut: { usage: 'cut <link>', run: cut },
  heal: { usage: 'heal', run: heal },
  // What a node looks like.
  status: { usage: 'status [<ids>]', run: status },
  followers: { usage: 'followers <id>', run: followers },
  configuration: { usage: 'configuration [<ids>]', run: configuration },
  disk: { usage: 'disk [<ids>]', run: disk },
};

export function runCommand(cluster: ScenarioCluster, command: Command): void {
  const definition = scenarioCommands[command.name];
  if (definition === undefined) {
    const usages = Object.values(scenarioCommands).map(({ usage }) => `  ${usage}`);
    throw new ScenarioMistake(`there is no command "${command.name}"; there are\n${usages.join('\n')}`);
  }
  definition.run(cluster, command);
  command.ensureAllUsed();
}

function addNodes(cluster: ScenarioCluster, command: Command): void {
  const ids = someIds(command);
  const terms = (command.list('log') ?? []).map(Number);
  const lastTerm = terms.at(-1) ?? 0;
  const commit = command.count('commit') ?? 0;
  const past = {
    terms,
    hardState: { term: command.count('term') ?? lastTerm, vote: command.text('vote'), commit },
    appliedIndex: command.count('applied') ?? commit,
  };
  const options = {
    ...defaultRaftOptions,
    configuration: {
      voters: command.list('voters') ?? ids,
      votersOutgoing: [],
      learners: command.list('learners') ?? [],
      learnersNext: [],
      autoLeave: false,
    },
    // Short, so that a story needs few ticks; `messageBytesMax` and the like are as in production unless set.
    electionTicks: command.count('election-ticks') ?? 5,
    heartbeatTicks: command.count('heartbeat-ticks') ?? 1,
    leaseDriftTicks: command.count('lease-drift-ticks') ?? 1,
    messageBytesMax: command.count('message-bytes') ?? defaultRaftOptions.messageBytesMax,
    inflightMessagesMax: command.count('inflight-messages') ?? defaultRaftOptions.inflightMessagesMax,
    inflightBytesMax: command.count('inflight-bytes') ?? defaultRaftOptions.inflightBytesMax,
    uncommittedBytesMax: command.count('uncommitted-bytes') ?? defaultRaftOptions.uncommittedBytesMax,
    committedBytesMax: command.count('committed-bytes') ?? defaultRaftOptions.committedBytesMax,
    readMode: readMode(command.text('read-mode')),
  };
  const seed = command.count('seed');
  for (const [position, id] of ids.entries()) {
    cluster.addNode({ ...options, id }, past, seed === undefined ? undefined : seed + position);
  }
}

function setElectionTimeout(cluster: ScenarioCluster, command: Command): void {
  const ticks = mustCount(command, 'ticks');
  for (const id of someIds(command)) cluster.setElectionTimeout(id, ticks);
}

function crash(cluster: ScenarioCluster, command: Command): void {
  const write = command.text('write');
  if (write !== undefined && write !== 'done') throw new ScenarioMistake('write=done is the only fate to ask for');
  for (const node of cluster.nodes(someIds(command))) node.crash({ isWriteDone: write === 'done' });
}

function restart(cluster: ScenarioCluster, command: Command): void {
  const applied = command.count('applied');
  for (const node of cluster.nodes(someIds(command))) node.start(applied);
}

function tick(cluster: ScenarioCluster, command: Command): void {
  const until = command.text('until');
  const times = command.count('times') ?? 1;
  for (const id of idsOrAll(cluster, command)) {
    const { core } = cluster.node(id);
    if (until === undefined) for (let count = 0; count < times; count++) core.tick();
    else if (until === 'ready') tickUntilReady(cluster, id);
    else throw new ScenarioMistake('until=ready is the only end to wait for');
  }
}

function tickUntilReady(cluster: ScenarioCluster, id: MemberId): void {
  const { core } = cluster.node(id);
  let ticks = 0;
  while (!core.hasReady() && ticks < 1000) {
    core.tick();
    ticks++;
  }
  cluster.print(describeAct(id, 'ticks', core.hasReady() ? `${ticks} until it has work` : `${ticks} without work`));
}

function campaign(cluster: ScenarioCluster, command: Command): void {
  cluster.node(oneId(command)).core.campaign();
}

function propose(cluster: ScenarioCluster, command: Command): void {
  const [id = '', ...texts] = command.words;
  const bytes = command.count('bytes');
  const data = texts.map((text) => Buffer.from(text));
  if (bytes !== undefined) data.push(Buffer.alloc(bytes));
  const result = cluster.node(id).core.propose(data);
  const outcome = result.accepted ? `accepted from ${result.firstIndex}@${result.term}` : `refused: ${result.reason}`;
  cluster.print(describeAct(id, 'propose', outcome));
}

function readIndex(cluster: ScenarioCluster, command: Command): void {
  cluster.node(oneId(command)).requestRead(mustCount(command, 'context'));
}

function change(cluster: ScenarioCluster, command: Command): void {
  const id = oneId(command);
  const voters = command.list('voters') ?? [];
  const learners = command.list('learners') ?? [];
  const result = cluster.node(id).core.proposeConfiguration({ voters, learners, context: new Uint8Array(0) });
  const outcome = result.accepted ? `accepted as ${result.firstIndex}@${result.term}` : `refused: ${result.reason}`;
  cluster.print(describeAct(id, 'change', outcome));
}

/** What the other node has applied now, or had at an earlier place that its log still knows. */
function installSnapshot(cluster: ScenarioCluster, command: Command): void {
  const from = command.text('from');
  if (from === undefined) throw new ScenarioMistake('install-snapshot needs from=');
  cluster.node(oneId(command)).installSnapshot(cluster.node(from).snapshot(command.count('at')));
}

function truncate(cluster: ScenarioCluster, command: Command): void {
  const node = cluster.node(oneId(command));
  node.truncate(mustCount(command, 'to'));
}

function transfer(cluster: ScenarioCluster, command: Command): void {
  const id = oneId(command);
  const to = command.text('to');
  if (to === undefined) throw new ScenarioMistake('transfer needs to=');
  cluster.print(describeAct(id, 'transfer', cluster.node(id).core.transferLeadership(to)));
}

function stepDown(cluster: ScenarioCluster, command: Command): void {
  cluster.node(oneId(command)).core.stepDown();
}

function reportUnreachable(cluster: ScenarioCluster, command: Command): void {
  const peer = command.text('peer');
  if (peer === undefined) throw new ScenarioMistake('report-unreachable needs peer=');
  cluster.node(oneId(command)).core.reportUnreachable(peer);
}

function processReady(cluster: ScenarioCluster, command: Command): void {
  for (const node of cluster.nodes(idsOrAll(cluster, command))) {
    if (node.hasWork) node.processReady();
    else cluster.print(describeAct(node.id, 'ready', 'nothing'));
  }
}

function stabilize(cluster: ScenarioCluster, command: Command): void {
  cluster.stabilize(command.words.length > 0 ? command.words : cluster.ids());
}

/** Each tick reaches all nodes, and everything it starts is done before the next one. */
function passTime(cluster: ScenarioCluster, command: Command): void {
  for (let ticks = mustCount(command, 'ticks'); ticks > 0; ticks--) {
    for (const node of cluster.nodes()) if (node.isUp) node.core.tick();
    cluster.stabilize(cluster.ids());
  }
}

function holdDisk(cluster: ScenarioCluster, command: Command): void {
  for (const node of cluster.nodes(someIds(command))) node.holdDisk();
}

function persist(cluster: ScenarioCluster, command: Command): void {
  for (const node of cluster.nodes(someIds(command))) node.persist();
}

function releaseDisk(cluster: ScenarioCluster, command: Command): void {
  for (const node of cluster.nodes(someIds(command))) node.releaseDisk();
}

function deliver(cluster: ScenarioCluster, command: Command): void {
  const messages = cluster.network.take(selection(command));
  if (messages.length === 0) cluster.print('nothing to deliver');
  cluster.deliver(messages);
}

function drop(cluster: ScenarioCluster, command: Command): void {
  const messages = cluster.network.take(selection(command));
  if (messages.length === 0) cluster.print('nothing to drop');
  for (const message of messages) cluster.print(`dropped: ${describeMessage(message)}`);
}

function duplicate(cluster: ScenarioCluster, command: Command): void {
  const messages = cluster.network.duplicate(selection(command));
  if (messages.length === 0) cluster.print('nothing to duplicate');
  for (const message of messages) cluster.print(`doubled: ${describeMessage(message)}`);
}

function delay(cluster: ScenarioCluster, command: Command): void {
  const messages = cluster.network.delay(selection(command));
  if (messages.length === 0) cluster.print('nothing to delay');
  for (const message of messages) cluster.print(`delayed: ${describeMessage(message)}`);
}

function deliverLate(cluster: ScenarioCluster, command: Command): void {
  const messages = cluster.network.takeDelayed(selection(command));
  if (messages.length === 0) cluster.print('nothing to deliver');
  cluster.deliver(messages);
}

/** Puts a message on its way that no node has sent, for what only a peer with another mind or a fault could say. */
function forge(cluster: ScenarioCluster, command: Command): void {
  const message = forgedMessage(command);
  cluster.network.send(message);
  cluster.print(`forged: ${describeMessage(message)}`);
}

function showNetwork(cluster: ScenarioCluster, command: Command): void {
  const messages = cluster.network.select(selection(command));
  if (messages.length === 0) cluster.print('nothing on its way');
  for (const message of messages) cluster.print(`on its way: ${describeMessage(message)}`);
}

function partition(cluster: ScenarioCluster, command: Command): void {
  const sides = command.words
    .join(' ')
    .split('|')
    .map((side) => side.split(' ').filter(Boolean));
  const sideOf = (id: MemberId): number => {
    const side = sides.findIndex((ids) => ids.includes(id));
    if (side === -1) throw new ScenarioMistake(`the partition leaves out node ${id}`);
    return side;
  };
  for (const from of cluster.ids()) {
    for (const to of cluster.ids()) if (sideOf(from) !== sideOf(to)) cluster.network.cut(from, to);
  }
}

function cut(cluster: ScenarioCluster, command: Command): void {
  const { from, to } = selection(command);
  for (const source of from === undefined ? cluster.ids() : [from]) {
    for (const target of to === undefined ? cluster.ids() : [to]) cluster.network.cut(source, target);
  }
}

function heal(cluster: ScenarioCluster): void {
  cluster.network.heal();
}

function status(cluster: ScenarioCluster, command: Command): void {
  for (const node of cluster.nodes(command.words.length > 0 ? command.words : cluster.ids())) {
    cluster.print(`${node.id} ${node.isUp ? describeStatus(node.core.status()) : 'down'}`);
  }
}

function followers(cluster: ScenarioCluster, command: Command): void {
  const id = oneId(command);
  const views = cluster.node(id).core.status().followers;
  if (views.length === 0) cluster.print(`${id} leads nobody`);
  for (const view of views) cluster.print(`${id} sees ${describeFollower(view)}`);
}

function configuration(cluster: ScenarioCluster, command: Command): void {
  for (const { id, core } of cluster.nodes(idsOrAll(cluster, command))) {
    const { configuration, pendingConfiguration } = core.status();
    const pending = pendingConfiguration === undefined ? '' : ` pending at ${pendingConfiguration.index}`;
    cluster.print(`${id} ${describeConfiguration(configuration)}${pending}`);
  }
}

function disk(cluster: ScenarioCluster, command: Command): void {
  for (const node of cluster.nodes(command.words.length > 0 ? command.words : cluster.ids())) {
    const contents = `${describeHardState(node.disk.hardState)} log=${describeLog(node.disk.all())}`;
    cluster.print(describeAct(node.id, 'disk', contents));
  }
}

function selection(command: Command): MessageSelection {
  const [word = '->'] = command.words;
  const match = /^(\w*)->(\w*)$/.exec(word);
  if (match === null) throw new ScenarioMistake(`"${word}" is not a link, as 1->2, 1->, ->2`);
  const [, from, to] = match;
  return {
    from: from || undefined,
    to: to || undefined,
    type: command.text('type'),
    number: command.count('number'),
    count: command.count('count'),
  };
}

function idsOrAll(cluster: ScenarioCluster, command: Command): readonly MemberId[] {
  if (command.words.length > 0) return command.words;
  return cluster.nodes().flatMap(({ id, isUp }) => (isUp ? [id] : []));
}

function someIds(command: Command): readonly MemberId[] {
  if (command.words.length === 0) throw new ScenarioMistake(`"${command.name}" needs node ids`);
  return command.words;
}

function oneId(command: Command): MemberId {
  const [id] = command.words;
  if (id === undefined || command.words.length > 1) throw new ScenarioMistake(`"${command.name}" needs one node id`);
  return id;
}

function mustCount(command: Command, key: string): number {
  const count = command.count(key);
  if (count === undefined) throw new ScenarioMistake(`"${command.name}" needs ${key}=`);
  return count;
}

function readMode(text: string | undefined): 'quorum' | 'lease' {
  if (text === undefined || text === 'quorum' || text === 'lease') return text ?? 'quorum';
  throw new ScenarioMistake(`read-mode=${text}: there are quorum and lease`);
}
