import type { RawAnswer } from './http-answer.ts';

/** What the fuzzer reads in the document that the server serves about itself. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

export interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema?: Schema }>> }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema?: Schema;
}

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
}

/** The operation that a request line asks for; undefined if the document has none. */
export function operationOf(document: ApiDocument, method: string, target: string): Operation | undefined {
  const path = target.split('?')[0] ?? '';
  for (const [template, operations] of Object.entries(document.paths)) {
    const prefix = template.slice(0, template.indexOf('{'));
    const isHere = template.includes('{') ? path.startsWith(prefix) && path.length > prefix.length : path === template;
    if (isHere) return operations[method.toLowerCase()];
  }
  return undefined;
}

/** Why a body is not what the schema says; undefined if it is. As much of JSON Schema as the document uses. */
export function objectionToBody(document: ApiDocument, schema: Schema | undefined, value: unknown): string | undefined {
  if (schema === undefined) return undefined;
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1);
    return objectionToBody(document, document.components?.schemas?.[name], value);
  }
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  if (types !== undefined && !types.some((type) => isOfType(type, value))) {
    return `${JSON.stringify(value)?.slice(0, 100)} is no ${types.join(' or ')}`;
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `${String(value)} is not in the list`;
  if (Array.isArray(value)) {
    for (const item of value) {
      const objection = objectionToBody(document, schema.items, item);
      if (objection !== undefined) return objection;
    }
    return undefined;
  }
  if (typeof value !== 'object' || value === null || schema.properties === undefined) return undefined;
  return objectionToFields(document, schema, new Map(Object.entries(value)));
}

function objectionToFields(
  document: ApiDocument,
  { properties = {}, required = [], additionalProperties }: Schema,
  fields: ReadonlyMap<string, unknown>,
): string | undefined {
  const missing = required.find((name) => !fields.has(name));
  if (missing !== undefined) return `${missing} is missing`;
  for (const [name, value] of fields) {
    const property = properties[name];
    if (property === undefined && additionalProperties === false) return `${name} is not in the document`;
    const objection = objectionToBody(document, property, value);
    if (objection !== undefined) return `${name}: ${objection}`;
  }
  return undefined;
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isSafeInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  const javaScriptType: string = typeof value;
  return javaScriptType === type;
}

/** The type without its parameters. */
export function mediaTypeOf(answer: RawAnswer): string {
  return (answer.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
}
