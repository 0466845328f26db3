export { protocolVersions } from './codec.ts';
export { openTransport, type PeerTransport } from './peer-transport.ts';
export type {
  ClusterDescription,
  DescribedMember,
  Peer,
  PeerAnswer,
  PeerRequest,
  PeerRequestHandler,
  PeerView,
  Receiver,
  Refusal,
  RefusalCode,
  Transport,
  TransportLog,
  TransportMetrics,
  TransportOptions,
} from './transport.ts';
