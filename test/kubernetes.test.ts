import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { parseAllDocuments } from 'yaml';
import { options } from '../src/server/options.ts';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const directory = join(root, 'deploy/kubernetes');

interface Manifest {
  readonly file: string;
  readonly value: { readonly apiVersion: string; readonly kind: string; readonly spec?: unknown };
}

const manifests: readonly Manifest[] = readdirSync(directory)
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) =>
    parseAllDocuments(readFileSync(join(directory, file), 'utf8')).map((document) => {
      assert.deepEqual(document.errors, [], file);
      return { file, value: document.toJS() as Manifest['value'] };
    }),
  );
/** What the API server is given; `Kustomization` is read by kubectl alone. */
const objects = manifests.filter(({ value }) => value.kind !== 'Kustomization');

function one(kind: string): Record<string, never> & { spec: Record<string, never> } {
  const found = manifests.find(({ value }) => value.kind === kind);
  assert.ok(found !== undefined, `there is no ${kind}`);
  return found.value as never;
}

test("kubernetes: every object passes Kubernetes' own schema", () => {
  assert.equal(objects.length, 4);
  for (const { file, value } of objects) {
    const models = require(`kubernetes-models/${value.apiVersion}/${value.kind}`);
    const model = new models[value.kind](value) as { validate(): void };
    assert.doesNotThrow(() => model.validate(), `${file}: ${value.kind}`);
  }
});

/** The schema lets unknown members pass, which kubectl would warn of and forget: the types do not. */
test('kubernetes: no member is misspelt or in the wrong place', () => {
  assert.deepEqual(complaintsOf(objects), []);
  const [set] = objects.filter(({ value }) => value.kind === 'StatefulSet');
  assert.ok(set !== undefined);
  const misspelt = { ...set, value: { ...set.value, spec: { ...(set.value.spec as object), replica: 3 } } };
  assert.match(complaintsOf([misspelt]).join(), /"replica"' does not exist/);
});

function complaintsOf(checked: readonly Manifest[]): string[] {
  const name = join(root, 'test/kubernetes-manifests.ts');
  const text = checked
    .map(({ value: { apiVersion, kind }, value }, i) => {
      const type = `import('kubernetes-models/${apiVersion}/${kind}').I${kind}`;
      return `export const object${i}: ${type} = ${JSON.stringify(value)};`;
    })
    .join('\n');
  const settings: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ES2022,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(settings);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === name || fileExists(path);
  host.getSourceFile = (path, ...rest) =>
    path === name ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022) : getSourceFile(path, ...rest);
  const program = ts.createProgram([name], settings, host);
  return [...program.getSemanticDiagnostics(program.getSourceFile(name)), ...program.getGlobalDiagnostics()].map(
    ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'),
  );
}

test('kubernetes: the flags are those of balsa serve, and every member is in the first cluster', () => {
  const { replicas, serviceName, template } = one('StatefulSet').spec as unknown as {
    replicas: number;
    serviceName: string;
    template: { spec: { containers: { args: string[] }[] } };
  };
  const [command, ...flags] = template.spec.containers[0]?.args ?? [];
  assert.equal(command, 'serve');
  const known = new Set(Object.values(options).map(({ flag }) => `--${flag}`));
  const given = new Map(flags.map((flag) => flag.split(/=(.*)/s, 2) as [string, string]));
  assert.deepEqual(
    [...given.keys()].filter((flag) => !known.has(flag)),
    [],
  );
  const members = Array.from({ length: replicas }, (_, i) => `balsa-${i}=http://balsa-${i}.${serviceName}:2380`);
  assert.equal(given.get('--initial-cluster'), members.join(','));
  assert.equal(given.get('--initial-advertise-peer-urls'), `http://$(POD_NAME).${serviceName}:2380`);
});

test('kubernetes: the selectors find the pods, and the kustomization names every file', () => {
  const { template } = one('StatefulSet').spec as unknown as { template: { metadata: { labels: object } } };
  for (const { value } of objects) {
    const { selector } = value.spec as { selector: { matchLabels?: object } };
    assert.deepEqual(selector.matchLabels ?? selector, template.metadata.labels, value.kind);
  }
  const { resources } = one('Kustomization') as unknown as { resources: string[] };
  const files = new Set(objects.map(({ file }) => file));
  assert.deepEqual([...resources].sort(), [...files].sort());
});
