import type { Registry } from 'prom-client';
import type { TransportMetrics } from '../../transport/index.ts';
import type { Gauges, Sample } from './gauges.ts';
import { type Histogram, HistogramFamily } from './histogram.ts';

/** What the transport tells about its work. Under etcd's names a peer is `To` or `From`, under ours it is `peer`. */
export function peerMetrics(registry: Registry, gauges: Gauges): TransportMetrics {
  const roundTrips = new RoundTrips(registry);
  const sent = new PeerCounter();
  const received = new PeerCounter();
  const sendFailures = new PeerCounter();
  const receiveFailures = new PeerCounter();
  const counters = [
    ['balsa_peer_sent_bytes_total', 'peer', sent, 'Bytes sent to a peer.'],
    ['balsa_peer_received_bytes_total', 'peer', received, 'Bytes received from a peer.'],
    ['balsa_peer_send_failures_total', 'peer', sendFailures, 'Messages dropped, and connections to a peer that broke.'],
    ['etcd_network_peer_sent_bytes_total', 'To', sent, 'As balsa_peer_sent_bytes_total.'],
    ['etcd_network_peer_received_bytes_total', 'From', received, 'As balsa_peer_received_bytes_total.'],
    ['etcd_network_peer_sent_failures_total', 'To', sendFailures, 'As balsa_peer_send_failures_total.'],
    ['etcd_network_peer_received_failures_total', 'From', receiveFailures, 'Connections ended for what a peer sent.'],
  ] as const;
  for (const [name, label, counter, help] of counters) {
    gauges.counters(name, help, [label], () => counter.samples(label));
  }
  return {
    sent: (peer, bytes) => sent.add(peer, bytes),
    received: (peer, bytes) => received.add(peer, bytes),
    sendFailed: (peer) => sendFailures.add(peer, 1),
    receiveFailed: (peer) => receiveFailures.add(peer, 1),
    roundTrip: (peer, durationMs) => roundTrips.observe(peer, durationMs / 1000),
  };
}

class PeerCounter {
  readonly #totals = new Map<string, number>();

  add(peer: string, amount: number): void {
    this.#totals.set(peer, (this.#totals.get(peer) ?? 0) + amount);
  }

  samples(label: string): Sample[] {
    return [...this.#totals].map(([peer, value]) => ({ labels: { [label]: peer }, value }));
  }
}

class RoundTrips {
  readonly #own: HistogramFamily;
  readonly #etcd: HistogramFamily;
  readonly #peers = new Map<string, readonly Histogram[]>();

  constructor(registry: Registry) {
    const help = 'Pings to a peer, one a heartbeat.';
    this.#own = new HistogramFamily(registry, [{ name: 'balsa_peer_round_trip_duration_seconds', help }]);
    this.#etcd = new HistogramFamily(registry, [{ name: 'etcd_network_peer_round_trip_time_seconds', help }]);
  }

  observe(peer: string, seconds: number): void {
    let histograms = this.#peers.get(peer);
    if (histograms === undefined) {
      histograms = [this.#own.child({ peer }), this.#etcd.child({ To: peer })];
      this.#peers.set(peer, histograms);
    }
    for (const histogram of histograms) histogram.observe(seconds);
  }
}
