import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { Endpoints } from '../../src/client/testing/endpoint.ts';
import { BalsaProcess, type Outcome } from './balsa.ts';

/** The commands as they were built, against endpoints that play the REST API. */
export class ScriptedCommands {
  readonly #endpoints = new Endpoints();

  async start(answer: RequestListener, line: string): Promise<BalsaProcess> {
    const env = { ...process.env, BALSA_ENDPOINTS: await this.#endpoints.open(answer) };
    return new BalsaProcess(line.split(' '), { env });
  }

  async run(answer: RequestListener, line: string): Promise<Outcome> {
    return (await this.start(answer, line)).ended();
  }

  /** Standard output of a command that must not fail. */
  async output(answer: RequestListener, line: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(answer, line);
    assert.equal(stderr, '');
    assert.equal(code, 0);
    return stdout;
  }

  async fails(code: number, message: RegExp, answer: RequestListener, line: string): Promise<void> {
    const outcome = await this.run(answer, line);
    assert.match(outcome.stderr, message);
    assert.equal(outcome.stderr.trimEnd().split('\n').length, 1, 'one line');
    assert.deepEqual([outcome.code, outcome.stdout], [code, '']);
  }

  closeAll(): void {
    this.#endpoints.closeAll();
  }
}
