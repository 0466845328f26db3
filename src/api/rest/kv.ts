import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answerDirectly, type CompleteAnswer } from './direct-answer.ts';
import { deleteParameters, getParameters, type KeyRequest, type KeyRequests, putParameters } from './key-requests.ts';
import { deleteSchema, getSchema, putSchema } from './kv-schema.ts';
import { readBody } from './request-body.ts';
import { keyRoute } from './request-target.ts';

export interface KvRoutesOptions {
  readonly keys: KeyRequests;
  readonly valueBytesMax: number;
}

/** One key: PUT, GET, HEAD and DELETE of `/v1/kv/{key}`. */
export async function kvRoutes(app: FastifyInstance, { keys, valueBytesMax }: KvRoutesOptions): Promise<void> {
  const route = (answer: (request: KeyRequest) => Promise<CompleteAnswer>) => {
    return async ({ originalUrl, raw }: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const readValue = (): Promise<Buffer> => readBody(raw, valueBytesMax);
      answerDirectly(reply, await answer({ target: originalUrl, headers: raw.headers, readBody: readValue }));
    };
  };
  app.put(
    keyRoute,
    { schema: putSchema(putParameters) },
    route((request) => keys.put(request)),
  );
  app.get(
    keyRoute,
    { schema: getSchema(getParameters) },
    route((request) => keys.get(request)),
  );
  app.delete(
    keyRoute,
    { schema: deleteSchema(deleteParameters) },
    route((request) => keys.delete(request)),
  );
}
