/** An array in an array … : a frame, its messages, a message, its entries, with room to grow. */
const depthMax = 8;

/** Names and reasons; everything longer travels as bytes. */
const stringBytesMax = 1024;

/**
 * One value costs up to 40 bytes once it is decoded (an empty array: one byte on the wire). Honest frames stay below
 * this: many small values in a short frame, or long ones, as log records are, in a long one.
 */
function valuesMax(bytes: number): number {
  return 1024 + Math.floor(bytes / 16);
}

/**
 * Walks over a msgpack value without making anything of it, and says why it must not be decoded: msgpackr allocates
 * an array of the declared length before it notices that the bytes for it are missing (5 bytes become 256 MiB), and
 * recurses as deep as the input says. What frames never hold is not let through at all: maps, extensions, signed and
 * 64-bit integers, 32-bit floats.
 */
export function scanMsgpack(bytes: Uint8Array): string | undefined {
  /** For each array that is open: the values that are still to come. */
  const open: number[] = [1];
  let valuesLeft = valuesMax(bytes.length);
  let at = 0;
  while (open.length > 0) {
    const level = open.length - 1;
    const expected = open[level] as number;
    if (expected === 0) {
      open.pop();
      continue;
    }
    open[level] = expected - 1;
    if (--valuesLeft < 0) return `more than ${valuesMax(bytes.length)} values in ${bytes.length} bytes`;
    if (at >= bytes.length) return 'the bytes end within a value';
    const token = bytes[at] as number;
    const layout = layoutOf(token);
    if (layout === undefined) return `a value of a kind that frames do not hold (0x${token.toString(16)})`;
    const lengthAt = at + 1;
    at = lengthAt + layout.lengthBytes;
    if (at > bytes.length) return 'the bytes end within a length';
    const length = layout.fixed + bigEndian(bytes, lengthAt, layout.lengthBytes);
    if (length > bytes.length - at) return `a length of ${length} was declared, ${bytes.length - at} bytes are left`;
    if (layout.kind === 'array') {
      if (open.length > depthMax) return `arrays are nested deeper than ${depthMax}`;
      open.push(length);
      continue;
    }
    // -0 would pass for a count, and is another value than 0 wherever values are compared.
    if (token === float64 && (bytes[at] as number) >= 0x80) return 'a negative number';
    if (layout.kind === 'string' && length > stringBytesMax) return `a string of ${length} bytes`;
    at += length;
  }
  return at === bytes.length ? undefined : `${bytes.length - at} bytes follow the value`;
}

/** Integers above 2^32. */
const float64 = 0xcb;

interface Layout {
  readonly kind: 'array' | 'string' | 'plain';
  /** Of the declared length that follows the token. */
  readonly lengthBytes: number;
  /** Length that the token itself stands for: bytes of the value, or values of an array. */
  readonly fixed: number;
}

const layouts: readonly (Layout | undefined)[] = Array.from({ length: 256 }, (_, token) => describe(token));

function layoutOf(token: number): Layout | undefined {
  return layouts[token];
}

/** The msgpack specification, "Formats". */
function describe(token: number): Layout | undefined {
  if (token <= 0x7f) return { kind: 'plain', lengthBytes: 0, fixed: 0 };
  if (token >= 0x90 && token <= 0x9f) return { kind: 'array', lengthBytes: 0, fixed: token - 0x90 };
  if (token >= 0xa0 && token <= 0xbf) return { kind: 'string', lengthBytes: 0, fixed: token - 0xa0 };
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return { kind: 'plain', lengthBytes: 0, fixed: 0 };
    case 0xc4: // bin 8
      return { kind: 'plain', lengthBytes: 1, fixed: 0 };
    case 0xc5: // bin 16
      return { kind: 'plain', lengthBytes: 2, fixed: 0 };
    case 0xc6: // bin 32
      return { kind: 'plain', lengthBytes: 4, fixed: 0 };
    case float64:
      return { kind: 'plain', lengthBytes: 0, fixed: 8 };
    case 0xcc: // uint 8
      return { kind: 'plain', lengthBytes: 0, fixed: 1 };
    case 0xcd: // uint 16
      return { kind: 'plain', lengthBytes: 0, fixed: 2 };
    case 0xce: // uint 32
      return { kind: 'plain', lengthBytes: 0, fixed: 4 };
    case 0xd9: // str 8
      return { kind: 'string', lengthBytes: 1, fixed: 0 };
    case 0xda: // str 16
      return { kind: 'string', lengthBytes: 2, fixed: 0 };
    case 0xdc: // array 16
      return { kind: 'array', lengthBytes: 2, fixed: 0 };
    case 0xdd: // array 32
      return { kind: 'array', lengthBytes: 4, fixed: 0 };
    default:
      return undefined;
  }
}

function bigEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at + i] as number);
  return value;
}
