/**
 * Every query parameter of the API: its schema in the OpenAPI document. A route takes those that it names, and refuses
 * all others.
 */
const parameterSchemas = {
  timeout: {
    type: 'string',
    pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$',
    description: 'How long the request may take; a number and ms, s, m or h.',
    examples: ['5s'],
  },
  consistency: {
    type: 'string',
    enum: ['linearizable', 'stale', 'bounded'],
    default: 'linearizable',
    description:
      'What a read promises. linearizable: nothing older than any write acknowledged before the read began. ' +
      "stale: this member's state, at once, with its age in Balsa-Staleness-Ms. " +
      "bounded: this member's state if it is provably not older than maxStaleness, else as linearizable.",
  },
  maxStaleness: {
    type: 'string',
    pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$',
    description: 'With consistency=bounded: the greatest age of what is read.',
    examples: ['500ms'],
  },
  prevKv: {
    type: 'boolean',
    default: false,
    description: 'Answer also with what was there before, as prevKv.',
  },
  lease: {
    type: 'string',
    pattern: '^[0-9a-fA-F]{1,16}$',
    description: 'The lease to bind the key to: it is deleted when the lease ends. Without one it is bound to none.',
    examples: ['694d81417acd4754'],
  },
  key: { type: 'string', description: 'The one key. Takes the place of prefix, start and end.', examples: ['app/a'] },
  revision: {
    type: 'integer',
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Of a read: the past to read, what was there at this revision. Of a watch: the first revision wanted.',
  },
  encoding: {
    type: 'string',
    enum: ['auto', 'base64'],
    default: 'auto',
    description: 'auto: keys and values are text where they are valid UTF-8, else base64. base64: always base64.',
  },
  prefix: {
    type: 'string',
    description: 'All keys that begin with these bytes. Takes the place of start and end; empty: all keys.',
    examples: ['app/'],
  },
  start: { type: 'string', description: 'The first key of the range.', examples: ['app/a'] },
  end: {
    type: 'string',
    description: 'The key before which the range ends. Left out: to the last key there is.',
    examples: ['app/b'],
  },
  limit: {
    type: 'integer',
    minimum: 1,
    maximum: 10_000,
    default: 1000,
    description: 'The most keys in one answer. It may hold fewer, where their values are big: `more` tells.',
  },
  after: {
    type: 'string',
    description:
      '`next` of the page before, sent to any member: the page after it, at the same revision. The parameters of the ' +
      'first page may be repeated, and must be the same then.',
  },
  keysOnly: { type: 'boolean', default: false, description: 'Leave the values out.' },
  countOnly: { type: 'boolean', default: false, description: 'Only count the keys.' },
  sort: {
    type: 'string',
    enum: ['key', 'modRevision', 'createRevision', 'version', 'value'],
    default: 'key',
    description: 'What the keys are sorted by. Other than by key there is one page only, without `next`.',
  },
  order: { type: 'string', enum: ['asc', 'desc'], default: 'asc', description: 'The direction of the sort.' },
  minModRevision: revisionBound('List only keys whose last change is not older than this revision.'),
  maxModRevision: revisionBound('List only keys whose last change is not younger than this revision.'),
  minCreateRevision: revisionBound('List only keys that were created at this revision or later.'),
  maxCreateRevision: revisionBound('List only keys that were created at this revision or earlier.'),
  filter: { type: 'string', enum: ['put', 'delete'], description: 'Events of this type are left out.' },
  progress: {
    type: 'string',
    pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$',
    default: '10s',
    description:
      'The longest to be silent: then it is said up to which revision everything has been told. From 100ms to 1m; it may ' +
      'come sooner.',
    examples: ['5s'],
  },
  keys: { type: 'boolean', default: false, description: 'Answer also with the keys that are bound to the lease.' },
  verbose: { type: 'boolean', default: false, description: 'One line a check, also if all is well.' },
  exclude: {
    type: 'string',
    description: 'Leave a check out of the verdict, by its name. May be given several times.',
  },
  serializable: {
    type: 'boolean',
    default: false,
    description: 'Ask only whether this member works, not whether the cluster can serve linearizable requests.',
  },
} as const;

function revisionBound(description: string) {
  return {
    type: 'integer',
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: `${description} \`count\` counts all the same.`,
  } as const;
}

export type ParameterName = keyof typeof parameterSchemas;

/** The parameters of one route. */
export interface ParameterSet {
  readonly names: ReadonlySet<string>;
  /** For the route's schema. */
  readonly schema: object;
}

export function parameterSet(...names: readonly ParameterName[]): ParameterSet {
  const properties = Object.fromEntries(names.map((name) => [name, parameterSchemas[name]]));
  return { names: new Set(names), schema: { type: 'object', additionalProperties: false, properties } };
}

/** The values that a parameter with an `enum` takes. */
export function choicesOf<Name extends ChoiceName>(name: Name): readonly Choice<Name>[] {
  return parameterSchemas[name].enum;
}

export function rangeOf(name: CountName): { readonly minimum: number; readonly maximum: number } {
  return parameterSchemas[name];
}

type ChoiceName = {
  [Name in ParameterName]: (typeof parameterSchemas)[Name] extends { enum: readonly string[] } ? Name : never;
}[ParameterName];

type CountName = {
  [Name in ParameterName]: (typeof parameterSchemas)[Name] extends { minimum: number } ? Name : never;
}[ParameterName];

export type DurationName = 'timeout' | 'maxStaleness' | 'progress';

export type Choice<Name extends ChoiceName> = (typeof parameterSchemas)[Name]['enum'][number];

export type { ChoiceName, CountName };
