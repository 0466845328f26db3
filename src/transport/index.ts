export { openTransport, type PeerTransport } from './peer-transport.ts';
export type {
  Peer,
  PeerAnswer,
  PeerRequest,
  PeerRequestHandler,
  PeerView,
  Receiver,
  Transport,
  TransportLog,
  TransportOptions,
} from './transport.ts';
