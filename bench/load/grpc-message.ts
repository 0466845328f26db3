/**
 * The two messages of etcd's KV service that the benchmark sends, in Protocol Buffers' wire format
 * (`rpc.proto`: PutRequest, RangeRequest), each with gRPC's length prefix before it.
 */
export function putRequest(key: string, value: string): Buffer {
  return grpcFrame(Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, Buffer.from(value))]));
}

export function rangeRequest(key: string, options: { readonly serializable: boolean }): Buffer {
  const fields = [bytesField(1, Buffer.from(key))];
  if (options.serializable) fields.push(boolField(7, true));
  return grpcFrame(Buffer.concat(fields));
}

/** One byte "not compressed", four bytes length, the message. */
function grpcFrame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function bytesField(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

function boolField(number: number, value: boolean): Buffer {
  return Buffer.from([number << 3, value ? 1 : 0]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
