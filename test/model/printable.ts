/**
 * Any plain value as text: equal values give equal texts, whether their bytes are a `Buffer` or a `Uint8Array`, in
 * whatever order their members stand, and whether an absent member is missing or `undefined`. For comparisons and for
 * the messages of failed tests.
 */
export function printable(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return printableBytes(value);
  if (Array.isArray(value)) return `[${value.map(printable).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined && typeof member !== 'function')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${name}: ${printable(member)}`);
  return `{${members.join(', ')}}`;
}

/** ASCII as it is, every other byte as `\xff`: different bytes never look alike. */
export function printableBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== backslash && byte !== quote;
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `'${text}'`;
}

const backslash = 0x5c;
const quote = 0x27;
