/** A flag of etcd that is no option of Balsa. */
export interface EtcdFlag {
  /** A switch takes no value of its own: `--pre-vote`, `--pre-vote=false`. */
  readonly isSwitch: boolean;
  /** Why it cannot be accepted; undefined: it is accepted, has no effect, and a warning names it. */
  readonly refusal: string | undefined;
}

/**
 * Whether a value asks for what the option does. Written out, but not asked for: `--cert-file=`, `--client-cert-auth=false`, `proxy:
 * 'off'`, and the sections of etcd's sample file whose keys are all empty.
 */
export function asksForIt(flag: string, value: unknown): boolean {
  if (flag === 'proxy' && value === 'off') return false;
  const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
  // One level: what is nested deeper is no section of etcd's, and a section of YAML may hold itself.
  const values: readonly unknown[] = isSection ? Object.values(value) : [value];
  return values.some((one) => !notAskedFor.has(one));
}

const notAskedFor: ReadonlySet<unknown> = new Set(['', 'false', false, null, undefined]);

/**
 * etcd 3.4 to 3.6 (`server/etcdmain/help.go`, `etcd.conf.yml.sample`). A start script written for etcd works with these, as far as ignoring them
 * is harmless: they tune parts that Balsa does not have, or ask for what it always does. Those whose absence would leave
 * a door open or make another cluster than was asked for stop the start.
 */
export function etcdFlag(flag: string): EtcdFlag | undefined {
  if (tls.switches.has(flag)) return { isSwitch: true, refusal: tlsRefusal };
  if (tls.values.has(flag)) return { isSwitch: false, refusal: tlsRefusal };
  if (flag === 'proxy')
    return { isSwitch: false, refusal: 'there is no proxy mode; every member takes requests for the whole cluster' };
  if (/^discovery(-|$)/.test(flag) && !ignored.values.has(flag))
    return { isSwitch: false, refusal: 'there is no discovery; list the members with --initial-cluster' };
  if (flag === 'force-new-cluster')
    return { isSwitch: true, refusal: 'a cluster cannot be remade from one member in this way' };
  if (ignored.switches.has(flag)) return { isSwitch: true, refusal: undefined };
  if (ignored.values.has(flag) || flag.startsWith('experimental-')) return { isSwitch: false, refusal: undefined };
  return undefined;
}

const tlsRefusal =
  'TLS is not supported, and starting without it would leave open what was to be closed; remove it and use a TLS proxy or a network you trust';

const tls = {
  switches: words('client-cert-auth auto-tls peer-client-cert-auth peer-auto-tls'),
  values: words(`
    cert-file key-file trusted-ca-file client-cert-file client-key-file client-crl-file client-cert-allowed-hostname
    peer-cert-file peer-key-file peer-trusted-ca-file peer-client-cert-file peer-client-key-file peer-crl-file
    peer-cert-allowed-cn peer-cert-allowed-hostname client-transport-security peer-transport-security`),
};

const ignored = {
  switches: words(`
    memory-mlock socket-reuse-port socket-reuse-address enable-grpc-gateway initial-election-tick-advance
    strict-reconfig-check pre-vote enable-v2 enable-pprof debug enable-log-rotation enable-distributed-tracing
    unsafe-no-fsync peer-skip-client-san-verification
    experimental-initial-corrupt-check experimental-compact-hash-check-enabled experimental-enable-lease-checkpoint
    experimental-enable-lease-checkpoint-persist experimental-enable-distributed-tracing experimental-memory-mlock
    experimental-peer-skip-client-san-verification experimental-txn-mode-write-with-shared-buffer
    experimental-stop-grpc-service-on-defrag`),
  values: words(`
    wal-dir max-snapshots max-wals backend-bbolt-freelist-type
    backend-batch-interval backend-batch-limit max-txn-ops max-concurrent-streams grpc-keepalive-min-time
    grpc-keepalive-interval grpc-keepalive-timeout raft-read-timeout raft-write-timeout feature-gates
    listen-client-http-urls listen-metrics-urls metrics
    v2-deprecation auth-token bcrypt-cost auth-token-ttl cors host-whitelist cipher-suites tls-min-version
    tls-max-version self-signed-cert-validity logger log-outputs log-rotation-config-json
    log-package-levels warning-unary-request-duration warning-apply-duration distributed-tracing-address
    distributed-tracing-service-name distributed-tracing-instance-id distributed-tracing-sampling-rate
    compact-hash-check-time compaction-batch-limit compaction-sleep-interval
    bootstrap-defrag-threshold-megabytes max-learners downgrade-check-time snapshot-catchup-entries
    discovery-fallback proxy-failure-wait proxy-refresh-interval proxy-dial-timeout proxy-write-timeout
    proxy-read-timeout`),
};

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
