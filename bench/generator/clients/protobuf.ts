/** As much of Protocol Buffers' wire format as etcd's messages need: varints and length-delimited fields. */

export type Field =
  | { readonly number: number; readonly bytes: Buffer }
  | { readonly number: number; readonly varint: number };

export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) count++;
  return count;
}

/** Returns the offset after it. */
export function writeVarint(target: Buffer, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) target[at++] = (rest % 128) | 0x80;
  target[at++] = rest;
  return at;
}

/** All fields of a message, in order; those of other wire types than the two are an error. */
export function* readFields(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('a message ends within a number');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) yield { number, varint: varint() };
    else if (wireType === 2) {
      const length = varint();
      if (at + length > message.length) throw new Error('a message ends within a field');
      yield { number, bytes: message.subarray(at, at + length) };
      at += length;
    } else throw new Error(`field ${number} has wire type ${wireType}`);
  }
}
