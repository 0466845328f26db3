/** How a value of a field is written (Protocol Buffers, proto3). */
export type Kind = 'bytes' | 'string' | 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'enum' | 'message';

/** What a field holds; `T` is its type in TypeScript. Numbers of 64 bits are bigints. */
export interface FieldType<T> {
  readonly number: number;
  readonly kind: Kind;
  readonly isRepeated: boolean;
  /** As the proto file has it, where that is not the name in TypeScript with underscores. */
  readonly protoName: string | undefined;
  /** Of an enumeration: by its numbers. */
  readonly values: readonly string[];
  /** Of a message; a function, because messages may hold each other. */
  readonly type: (() => MessageType<object>) | undefined;
  /** Of which at most one is set: the last that is read. */
  readonly oneof: string | undefined;
  /** The same list may come again, and is never written to: what it was encoded to is kept. */
  readonly mayComeAgain: boolean;
  /** Never there: it carries the type. */
  readonly sample?: T;
}

export interface Field extends FieldType<unknown> {
  /** In TypeScript. */
  readonly name: string;
  readonly protoName: string;
  /** What it holds when it is not there. */
  readonly initial: unknown;
}

/** A kind of message: its fields, in the order of their numbers. */
export interface MessageType<T extends object> {
  /** With its package. */
  readonly name: string;
  readonly fields: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
  /** By both names that JSON may use: the proto file's, and that in camel case. */
  readonly byJsonName: ReadonlyMap<string, Field>;
  /** A message in which no field is set. */
  create(): T;
}

/** What decoding a message of that type gives. */
export type MessageOf<M> = M extends MessageType<infer T> ? T : never;

/** What can be encoded: fields may be left out, and safe integers may be numbers. */
export type Init<T> = T extends bigint
  ? bigint | number
  : T extends Uint8Array
    ? Uint8Array
    : T extends readonly (infer Item)[]
      ? readonly Init<Item>[]
      : T extends object
        ? { readonly [Name in keyof T]?: Init<T[Name]> | undefined }
        : T;

type FieldsOf<F> = { -readonly [Name in keyof F]: F[Name] extends FieldType<infer T> ? T : never };

export function messageType<F extends Readonly<Record<string, FieldType<unknown>>>>(
  name: string,
  declared: F,
): MessageType<FieldsOf<F>> {
  const fields = Object.entries(declared)
    .map(([fieldName, field]): Field => {
      const protoName = field.protoName ?? fieldName.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return { ...field, name: fieldName, protoName, initial: initialOf(field) };
    })
    .sort((a, b) => a.number - b.number);
  const initial = Object.fromEntries(fields.map((field) => [field.name, field.initial]));
  return {
    name,
    fields,
    byNumber: new Map(fields.map((field) => [field.number, field])),
    byJsonName: new Map(fields.flatMap((field) => jsonNames(field).map((jsonName) => [jsonName, field]))),
    create: () => ({ ...initial }) as FieldsOf<F>,
  };
}

const noBytes = Buffer.alloc(0);
const noItems: readonly never[] = Object.freeze([]);

function initialOf({ kind, isRepeated }: FieldType<unknown>): unknown {
  if (isRepeated) return noItems;
  switch (kind) {
    case 'bytes':
      return noBytes;
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int64':
    case 'uint64':
      return 0n;
    case 'message':
      return undefined;
    default:
      return 0;
  }
}

function jsonNames({ protoName }: Field): string[] {
  return [protoName, protoName.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())];
}

interface FieldOptions {
  readonly protoName?: string;
  readonly oneof?: string;
}

function field<T>(number: number, kind: Kind, options: FieldOptions & Partial<FieldType<T>> = {}): FieldType<T> {
  return {
    number,
    kind,
    isRepeated: false,
    protoName: undefined,
    values: [],
    type: undefined,
    oneof: undefined,
    mayComeAgain: false,
    ...options,
  };
}

export const bytes = (number: number, options?: FieldOptions): FieldType<Uint8Array> => field(number, 'bytes', options);
export const string = (number: number, options?: FieldOptions): FieldType<string> => field(number, 'string', options);
export const bool = (number: number, options?: FieldOptions): FieldType<boolean> => field(number, 'bool', options);
export const int32 = (number: number, options?: FieldOptions): FieldType<number> => field(number, 'int32', options);
export const uint32 = (number: number, options?: FieldOptions): FieldType<number> => field(number, 'uint32', options);
export const int64 = (number: number, options?: FieldOptions): FieldType<bigint> => field(number, 'int64', options);
export const uint64 = (number: number, options?: FieldOptions): FieldType<bigint> => field(number, 'uint64', options);

/** `values`: the names of the numbers 0, 1, … */
export const enumeration = (number: number, values: readonly string[], options?: FieldOptions): FieldType<number> =>
  field(number, 'enum', { ...options, values });

export const embedded = <T extends object>(
  number: number,
  type: () => MessageType<T>,
  options?: FieldOptions,
): FieldType<T | undefined> => field(number, 'message', { ...options, type: type as () => MessageType<object> });

export const repeated = <T>(
  one: FieldType<T>,
  options: { readonly mayComeAgain?: boolean } = {},
): FieldType<readonly NonNullable<T>[]> =>
  ({ ...one, ...options, isRepeated: true }) as FieldType<readonly NonNullable<T>[]>;
