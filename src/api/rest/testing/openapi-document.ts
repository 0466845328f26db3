import assert from 'node:assert/strict';
import Fastify from 'fastify';
import type { Answer, CallOptions, HttpClient } from './http-client.ts';

interface Content {
  readonly schema: object;
  readonly example?: unknown;
}

interface Response {
  readonly description: string;
  readonly headers: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, Content>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description: string }[];
  readonly responses: Readonly<Record<string, Response>>;
}

/** What a server says of itself in `/openapi.json`, to be held against what it does. */
export class OpenapiDocument {
  readonly content: {
    readonly openapi: string;
    readonly components: object;
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  readonly #client: HttpClient;

  private constructor(client: HttpClient, content: OpenapiDocument['content']) {
    this.#client = client;
    this.content = content;
  }

  static async of(client: HttpClient): Promise<OpenapiDocument> {
    const content = (await client.call('GET /openapi.json')).json();
    return new OpenapiDocument(client, content as unknown as OpenapiDocument['content']);
  }

  operations(): { readonly name: string; readonly operation: Operation }[] {
    return Object.entries(this.content.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
    );
  }

  /** Sends a request and compares what comes back with what the document says about it. */
  async checkAnswer(target: string, path: string, options?: CallOptions): Promise<Answer> {
    const answer = await this.#client.call(target, options);
    const method = target.slice(0, target.indexOf(' ')).toLowerCase();
    const response = this.content.paths[path]?.[method]?.responses[answer.status];
    assert.ok(response !== undefined, `${target}: ${answer.status} is not documented`);
    const declared = Object.keys(response.headers).map((name) => name.toLowerCase());
    const sent = Object.keys(answer.headers).filter((name) => /^(balsa-|etag|retry-after|allow)/.test(name));
    assert.deepEqual(
      sent.filter((name) => !declared.includes(name)),
      [],
      `${target}: headers that are not documented`,
    );
    if (answer.bytes.length === 0) return answer;
    const type = String(answer.headers['content-type']).split(';')[0] ?? '';
    const content = response.content?.[type];
    assert.ok(content !== undefined, `${target}: ${type} is not documented`);
    if (/json$/.test(type) && type !== 'application/x-ndjson') {
      await this.checkSchema(content.schema, answer.json(), target);
    }
    return answer;
  }

  /** Fastify's own validator, without the coercion that would mend what it checks. */
  async checkSchema(schema: object, value: unknown, what: string): Promise<void> {
    const validator = Fastify({
      ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strict: false } },
    });
    const body = { ...schema, components: this.content.components };
    validator.post('/', { schema: { body } }, async () => 'valid');
    const payload = { payload: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
    const verdict = await validator.inject({ method: 'POST', url: '/', ...payload });
    assert.equal(verdict.body, 'valid', `${what}: ${JSON.stringify(value)}`);
  }
}
