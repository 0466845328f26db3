import type { FastifySchema } from 'fastify';
import type { ParameterSet } from './parameters.ts';
import { answer, clusterCodes, problems } from './schema-parts.ts';

export function watchSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'watch',
    summary: 'Changes as they happen',
    description:
      'A stream that does not end: every change of the keys, in order, none left out, none twice; one message holds all ' +
      'that one revision did. `key`, `prefix`, or `start` and `end`, must be there. Without `revision` it begins with ' +
      'what comes after now.',
    tags: ['Watches'],
    querystring: parameters.schema,
    headers: {
      type: 'object',
      properties: {
        'Last-Event-ID': {
          type: 'integer',
          minimum: 0,
          description: 'Watch on after this revision, whatever `revision` says; browsers send it by themselves.',
        },
      },
    },
    response: {
      200: answer({
        description: 'Messages, for as long as the client stays.',
        headers: { 'X-Accel-Buffering': { type: 'string', const: 'no' } },
        content: {
          'text/event-stream': {
            schema: {
              type: 'string',
              description:
                'Server-sent events, with the revision as their `id`. `change`: {"revision","events":[{"type":"put" or ' +
                '"delete","kv":KeyValue,"prevKv"?:KeyValue}]}; of a deletion `kv` has only the key and `modRevision`, ' +
                'which deleted it. `progress`: {"revision"}: everything up to it has been told; it is also the first ' +
                'message. `compacted` (a Problem with `compactRevision`): the revisions that are asked for are gone; ' +
                'list the keys and watch from there. `error` (a Problem): watch again after the last `id`. The last two ' +
                'end the stream.',
            },
          },
          'application/x-ndjson': {
            schema: {
              type: 'string',
              description:
                'The same as one object a line, with the name of the event as its member `type`. The Problem of the last ' +
                'line is its member `problem`; of `compacted`, `compactRevision` stands beside it.',
            },
          },
        },
      }),
      ...problems('too_large', ...clusterCodes),
    },
  };
}
