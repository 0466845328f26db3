import type { IncomingHttpHeaders } from 'node:http2';

/** Longer than any request may take here. */
const timeoutMsMax = 2 ** 31 - 1;

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** `grpc-timeout` in milliseconds; undefined where there is none, or none that can be read. */
export function timeoutOf(headers: IncomingHttpHeaders): number | undefined {
  const found = /^(\d{1,8})([HMSmun])$/.exec(`${headers['grpc-timeout'] ?? ''}`);
  if (found === null) return undefined;
  const [, count, unit = ''] = found;
  return Math.min(timeoutMsMax, Math.ceil(Number(count) * (unitMs[unit] ?? 0)));
}

export function isGrpc(headers: IncomingHttpHeaders): boolean {
  return /^application\/grpc(\+proto)?($|;)/.test(headers['content-type'] ?? '');
}

/** `grpc-message`: printable ASCII, all else percent-encoded (gRPC over HTTP/2, "Status-Message"). */
export function encodeText(text: string): string {
  if (/^[ -$&-~]*$/.test(text)) return text;
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
