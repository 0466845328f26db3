/** What a small company might keep: enough to see every part of the page at work. */
export async function putExamples(url: string): Promise<void> {
  const put = async (key: string, value: string | Uint8Array<ArrayBuffer>, query = ''): Promise<void> => {
    const answer = await fetch(`${url}/v1/kv/${key}${query}`, { method: 'PUT', body: value });
    if (!answer.ok) throw new Error(`put ${key}: ${answer.status} ${await answer.text()}`);
  };
  const grant = async (ttl: number): Promise<string> => {
    const answer = await fetch(`${url}/v1/leases`, { method: 'POST', body: JSON.stringify({ ttl }) });
    return ((await answer.json()) as { id: string }).id;
  };
  for (let i = 0; i < 24; i++) await put(`services/billing/instance-${i}`, `10.0.3.${i}:8080`);
  for (const service of ['checkout', 'search', 'mail', 'auth', 'images']) {
    await put(`services/${service}/instance-0`, `10.0.4.${service.length}:8080`);
  }
  for (const [workers, level, extra] of configs) {
    const config = {
      workers,
      logLevel: level,
      listen: '0.0.0.0:8080',
      features: ['invoices', ...extra],
      retry: { attempts: 5, backoffMs: 250 },
    };
    await put('config/billing.json', JSON.stringify(config));
  }
  await put('config/checkout.yaml', 'currency: EUR\nlanguages: [de, en, fr]\ntimeout: 5s\n');
  await put('config/motd', 'Maintenance on Sunday, 03:00 UTC. Grüße aus dem Maschinenraum 🛠');
  await put('flags/new-checkout', 'on');
  await put('flags/dark-mode', 'off');
  await put(
    '%ff%00binary/key',
    Uint8Array.from({ length: 200 }, (_, i) => (i * 37) % 256),
  );
  await put(
    'certs/root.der',
    Uint8Array.from({ length: 600 }, (_, i) => (i * 73 + 11) % 256),
  );
  await put('empty', '');
  const locks = await grant(90);
  await put('locks/nightly-backup', 'node-7', `?lease=${locks}`);
  const sessions = await grant(600);
  for (let i = 0; i < 3; i++) await put(`sessions/worker-${i}`, 'alive', `?lease=${sessions}`);
  await grant(3600);
}

const configs: readonly (readonly [workers: number, level: string, features: readonly string[]])[] = [
  [2, 'debug', []],
  [4, 'debug', ['dunning']],
  [4, 'info', ['dunning']],
  [16, 'info', ['dunning', 'sepa']],
];
