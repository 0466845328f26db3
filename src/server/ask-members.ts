import { request } from 'node:http';
import { z } from 'zod';
import type { ClusterDescription } from '../transport/index.ts';

/** More than a cluster of any size has to say. */
const answerBytesMax = 1024 * 1024;

/** What members say of their cluster, and why the others did not; `url` is the one that was asked. */
export interface Descriptions {
  readonly known: readonly { readonly url: string; readonly description: ClusterDescription }[];
  readonly silent: readonly { readonly url: string; readonly reason: string }[];
}

/** Asks each of these peer URLs for the members of its cluster (`GET /members`), all at once. */
export async function askMembers(peerUrls: readonly string[], timeoutMs: number): Promise<Descriptions> {
  const known: { url: string; description: ClusterDescription }[] = [];
  const silent: { url: string; reason: string }[] = [];
  const asked = peerUrls.map(async (url) => {
    try {
      known.push({ url, description: await ask(url, timeoutMs) });
    } catch (reason) {
      silent.push({ url, reason: wordsOf(reason) });
    }
  });
  await Promise.all(asked);
  return { known, silent };
}

async function ask(url: string, timeoutMs: number): Promise<ClusterDescription> {
  const { status, text } = await get(`${url}/members`, timeoutMs);
  if (status === 503) throw new Error('it does not know its cluster yet');
  if (status !== 200) throw new Error(`it answered ${status}: is that the peer URL of a member?`);
  const parsed = descriptionSchema.safeParse(json(text));
  if (!parsed.success) throw new Error('it answered something else: is that the peer URL of a member?');
  return parsed.data;
}

/** Not `fetch`, which refuses some ports for the sake of browsers. */
function get(url: string, timeoutMs: number): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const fail = (reason: Error): void => {
      reject(signal.aborted ? new Error(`no answer within ${timeoutMs} ms`) : reason);
    };
    const asked = request(url, { agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > answerBytesMax) response.destroy(new Error(`it answered more than ${answerBytesMax} bytes`));
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString('utf8') }));
    });
    asked.on('error', fail);
    asked.end();
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of several addresses that failed the error has only a code. */
function wordsOf(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  return reason.message || ('code' in reason ? String(reason.code) : reason.name);
}

const id = z.string().regex(/^[1-9a-f][0-9a-f]{0,15}$/);
const text = z.string().max(1024);
const urls = z.array(text).max(64);

const descriptionSchema = z.object({
  clusterId: id,
  memberId: id,
  appliedIndex: z.number().int().min(0),
  clusterVersion: text,
  members: z.array(
    z.object({
      id,
      name: text,
      role: z.enum(['voter', 'learner']),
      peerUrls: urls,
      clientUrls: urls,
      version: text,
    }),
  ),
});
