import type { FastifySchema } from 'fastify';
import type { ParameterSet } from './parameters.ts';
import { answer, clusterCodes, problems } from './schema-parts.ts';

/** Of a backup file, as `balsa snapshot` reads it. */
export const snapshotType = 'application/vnd.balsa.backup';

export function snapshotSchema(parameters: ParameterSet): FastifySchema {
  return {
    operationId: 'getSnapshot',
    summary: 'Back up the whole store',
    description:
      'The store as this member has it at one moment, as a file that `balsa snapshot restore` makes a new cluster of. ' +
      'Writes go on meanwhile. A stream that fails is cut off; the file has checksums of its own, also over the whole, ' +
      'which `balsa snapshot verify` checks. `timeout` is for the beginning.',
    tags: ['Cluster'],
    querystring: parameters.schema,
    response: {
      200: answer({
        description: 'The file.',
        headers: {
          'Balsa-Snapshot-Revision': { type: 'integer', description: 'The revision that the file holds.' },
          'Content-Disposition': { type: 'string', description: 'A name for the file.' },
        },
        content: { [snapshotType]: { schema: { type: 'string', format: 'binary' } } },
      }),
      ...problems(...clusterCodes),
    },
  };
}
