export type { PeerRequestHandler, PeerView, Transport, TransportOptions } from './transport.ts';
export { openTransport } from './peer-transport.ts';
