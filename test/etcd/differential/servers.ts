import { toJson } from '../../../src/api/etcd/proto/json.ts';
import { CallFailed, GrpcClient } from '../../../src/api/etcd/testing/grpc-client.ts';
import type { Step } from './step.ts';

/** What a server did with a request: an answer, or how it failed. */
export type Outcome = { readonly answer: unknown } | { readonly code: number; readonly text: string };

/** One way to send the steps of the table. */
export interface Server {
  ask(step: Step): Promise<Outcome>;
  close(): void;
}

export function overGrpc(url: string): Server {
  const client = new GrpcClient(url);
  return {
    async ask({ method, types, request }) {
      try {
        return { answer: await client.unary(method, types, request) };
      } catch (reason) {
        if (reason instanceof CallFailed) return { code: reason.code, text: reason.message };
        throw reason;
      }
    },
    close: () => client.close(),
  };
}

/** As JSON; the answer to a stream of one request is its one line. */
export function overGateway(url: string): Server {
  return {
    async ask({ gateway, types, request }) {
      const response = await fetch(`${url}/v3/${gateway}`, { method: 'POST', body: toJson(types[0], request) });
      const body = JSON.parse(await response.text()) as Record<string, unknown>;
      if (response.ok) return { answer: body['result'] ?? body };
      return { code: Number(body['code']), text: String(body['message']) };
    },
    close: () => {},
  };
}
