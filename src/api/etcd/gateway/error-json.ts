import { STATUS_CODES } from 'node:http';
import { MalformedJson } from '../proto/json.ts';
import { EtcdError } from '../status.ts';

export function errorOf(reason: unknown): EtcdError {
  if (reason instanceof MalformedJson) return new EtcdError('INVALID_ARGUMENT', reason.message);
  return EtcdError.from(reason);
}

/** Of both etcd 3.4 (`error`) and 3.6 (`details`), whose clients look at different members. */
export function errorJson({ message, number }: EtcdError): string {
  return JSON.stringify({ error: message, message, code: number, details: [] });
}

export function streamErrorJson({ message, number, httpStatus }: EtcdError): string {
  const error = {
    grpc_code: number,
    http_code: httpStatus,
    message,
    http_status: STATUS_CODES[httpStatus] ?? '',
    code: number,
    details: [],
  };
  return `${JSON.stringify({ error })}\n`;
}
