import { enumeration, type MessageOf, messageType, string } from '../message-type.ts';

/** grpc `grpc/health/v1/health.proto`. */
export const HealthCheckRequest = messageType('grpc.health.v1.HealthCheckRequest', { service: string(1) });
export type HealthCheckRequest = MessageOf<typeof HealthCheckRequest>;

export const servingStatuses = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

export const HealthCheckResponse = messageType('grpc.health.v1.HealthCheckResponse', {
  status: enumeration(1, servingStatuses),
});
