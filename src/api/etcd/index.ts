export { createEtcdApi, type EtcdApi, type EtcdApiOptions } from './etcd-api.ts';
export { gatewayRoutes } from './gateway/routes.ts';
export type { CallCount } from './grpc/call-counts.ts';
export type { GrpcServer } from './grpc/grpc-server.ts';
