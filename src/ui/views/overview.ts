import type { ClusterMember } from '../model/answers.ts';
import { type Point, pointsMax } from '../model/cluster-feed.ts';
import { bytes, count, duration, latency, rate } from '../model/format.ts';
import { Chart, type ChartOptions } from '../parts/chart.ts';
import type { Context, View } from '../parts/context.ts';
import { el, fill, setText } from '../parts/dom.ts';
import { icon } from '../parts/icon.ts';
import { loadingState } from '../parts/states.ts';
import { healthOf } from './health.ts';
import { memberCard } from './member-card.ts';

const shared = { pointsMax, intervalSeconds: 2 } as const;
const here = 'this member';
const charts: readonly (ChartOptions & {
  readonly lines: readonly (readonly [string, (point: Point) => number | undefined])[];
})[] = [
  {
    ...shared,
    title: 'Writes',
    scope: 'whole cluster',
    format: (value) => `${rate(value)}/s`,
    leastTop: 10,
    lines: [['writes', ({ writes }) => writes]],
  },
  {
    ...shared,
    title: 'Linearizable reads',
    scope: here,
    format: (value) => `${rate(value)}/s`,
    leastTop: 10,
    lines: [['reads', ({ reads }) => reads]],
  },
  {
    ...shared,
    title: 'Write latency',
    scope: here,
    format: latency,
    leastTop: 0.002,
    lines: [
      ['p99', ({ writeP99 }) => writeP99],
      ['p50', ({ writeP50 }) => writeP50],
    ],
  },
  {
    ...shared,
    title: 'Disk sync, p99',
    scope: here,
    format: latency,
    leastTop: 0.002,
    lines: [['p99', ({ syncP99 }) => syncP99]],
  },
  {
    ...shared,
    title: 'On disk',
    scope: here,
    format: bytes,
    scale: 'binary',
    leastTop: 1024 * 1024,
    lines: [['log and store', ({ dbSizeBytes }) => dbSizeBytes]],
  },
];

/** The cluster at a glance. */
export function overviewView({ feed, signal }: Context): View {
  const headline = el('h1', { class: 'headline' });
  const facts = el('p', { class: 'facts' });
  const problems = el('div', { class: 'problems' });
  const members = el('div', { class: 'member-cards' });
  const figures = el('dl', { class: 'figures' });
  const drawn = charts.map((options) => ({ chart: new Chart(options), lines: options.lines }));
  const lag = new Chart({
    ...shared,
    title: 'Replication lag',
    scope: 'entries, largest',
    figure: 'highest',
    format: count,
    leastTop: 10,
  });
  const body = el(
    'div',
    { class: 'overview-body', hidden: true },
    problems,
    el('section', { 'aria-labelledby': 'members-title' }, el('h2', { id: 'members-title' }, 'Members'), members),
    el(
      'section',
      { 'aria-labelledby': 'traffic-title' },
      el('h2', { id: 'traffic-title' }, 'The last three minutes'),
      el('div', { class: 'charts' }, ...drawn.map(({ chart }) => chart.element), lag.element),
    ),
    el('section', { 'aria-labelledby': 'figures-title' }, el('h2', { id: 'figures-title' }, 'Figures'), figures),
  );
  const loading = loadingState('Asking the cluster…');
  const element = el(
    'div',
    { class: 'view overview' },
    el('header', { class: 'hero' }, headline, facts),
    loading,
    body,
  );

  const update = (): void => {
    const health = healthOf(feed);
    headline.className = `headline ${health.level}`;
    setText(headline, health.sentence);
    const { snapshot, points } = feed;
    for (const { chart, lines } of drawn) {
      chart.draw(lines.map(([name, value]) => ({ name, values: points.map(value) })));
    }
    if (snapshot === undefined) return;
    loading.hidden = true;
    body.hidden = false;
    const { cluster, status } = snapshot;
    lag.draw(lagLines(cluster.members, points));
    fill(facts, ...factsOf(cluster.clusterId, cluster.raftTerm, cluster.revision));
    fill(problems, ...status.errors.map((error) => el('div', { class: 'problem' }, icon('alert'), el('p', {}, error))));
    fill(members, ...cluster.members.map((member) => memberCard(member, status.memberId)));
    fill(
      figures,
      figure('Keys', count(status.keyCount)),
      figure('Revision', count(cluster.revision)),
      figure('Up, this member', duration(status.uptimeSeconds)),
      figure('Applied index', count(status.appliedIndex)),
      figure('Version', status.version),
    );
  };
  feed.subscribe(update, signal);
  return { element };
}

function factsOf(clusterId: string, term: number, revision: number): HTMLElement[] {
  const fact = (name: string, value: string): HTMLElement => el('span', {}, `${name} `, el('b', {}, value));
  return [fact('cluster', clusterId), fact('term', count(term)), fact('revision', count(revision))];
}

function figure(name: string, value: string): HTMLElement {
  return el('div', {}, el('dt', {}, name), el('dd', {}, value));
}

/** Those that follow, in the order of the members: a line keeps its colour. */
function lagLines(
  members: readonly ClusterMember[],
  points: readonly Point[],
): { name: string; values: (number | undefined)[] }[] {
  const followers = members.filter(({ id }) => points.some(({ lag }) => lag.has(id)));
  if (followers.length === 0) return [{ name: 'no followers', values: points.map(() => 0) }];
  return followers.map(({ id, name }) => ({ name: name || id, values: points.map(({ lag }) => lag.get(id)) }));
}
