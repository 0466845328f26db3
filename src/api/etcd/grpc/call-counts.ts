import type { Method } from '../method.ts';
import type { EtcdError } from '../status.ts';

/** Calls of one method that ended alike, under the names that etcd's dashboards know (go-grpc-prometheus). */
export interface CallCount {
  readonly service: string;
  readonly method: string;
  readonly type: 'unary' | 'bidi_stream' | 'server_stream';
  readonly started: number;
  /** By gRPC's code in Go's spelling: `OK`, `InvalidArgument`. */
  readonly handled: ReadonlyMap<string, number>;
}

/** Counted by hand: a metric with labels costs more than the call does elsewhere. */
export class CallCounts {
  #underWay = 0;
  readonly #counts = new Map<Method, CallCount & { started: number; readonly handled: Map<string, number> }>();

  onStarted(service: string, method: Method): void {
    this.#underWay++;
    this.#of(service, method).started++;
  }

  onHandled(service: string, method: Method, error: EtcdError | undefined): void {
    this.#underWay--;
    const { handled } = this.#of(service, method);
    const code = error === undefined ? 'OK' : goName(error.code);
    handled.set(code, (handled.get(code) ?? 0) + 1);
  }

  /** Begun and not ended; a watch is one call. */
  get underWay(): number {
    return this.#underWay;
  }

  all(): Iterable<CallCount> {
    return this.#counts.values();
  }

  #of(service: string, method: Method) {
    let count = this.#counts.get(method);
    if (count === undefined) {
      const type = method.kind === 'unary' ? 'unary' : method.requests === 'one' ? 'server_stream' : 'bidi_stream';
      count = { service, method: method.name, type, started: 0, handled: new Map() };
      this.#counts.set(method, count);
    }
    return count;
  }
}

/** `INVALID_ARGUMENT` → `InvalidArgument`. */
function goName(code: string): string {
  if (code === 'CANCELLED') return 'Canceled';
  return code.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
