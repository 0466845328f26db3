import { MemoryLevel } from 'memory-level';
import type { StateFiles } from '../../../src/replica/index.ts';
import type { Database, Receipt, ReceiptStore } from '../../../src/storage/index.ts';
import { DamagedStorage } from '../../../src/storage/index.ts';
import type { Chance } from './chance.ts';
import type { SimulatedProcess } from './process.ts';
import type { Scheduler } from './scheduler.ts';
import { type Operation, Volume } from './volume.ts';

export type DatabaseKind = 'log' | 'data';
/** `incoming`: a snapshot on its way, which may take the place of `data`. */
export type VolumeKind = DatabaseKind | 'incoming';

/** How long a synced write takes. */
export interface DiskSpeed {
  readonly minMs: number;
  readonly maxMs: number;
}

const usualSpeed: DiskSpeed = { minMs: 0.2, maxMs: 3 };

/** A write that has been handed to the disk and not been answered. */
interface Flight {
  readonly land: () => void;
}

/**
 * The disk of one member. It outlives the member's processes; what a process wrote and was not answered before it was
 * killed may be there or not, but never in part: LevelDB's batches have checksums.
 */
export class SimulatedDisk {
  readonly volumes: Readonly<Record<VolumeKind, Volume>> = {
    log: new Volume(),
    data: new Volume(),
    incoming: new Volume(),
  };
  /** Newest last. Empty: the file was never made. */
  receipts: Receipt[] = [];
  areReceiptsDamaged = false;
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly #flights = new Set<Flight>();
  #speed = usualSpeed;
  #isFull = false;
  #failsNext: VolumeKind | 'receipt' | undefined;
  #hangs = 0;
  #waiting: (() => void)[] = [];
  #openings = 0;
  /** Called with every batch of the log that has become durable. */
  onLogDurable: (operations: readonly Operation[]) => void = () => undefined;

  constructor(scheduler: Scheduler, chance: Chance) {
    this.#scheduler = scheduler;
    this.#chance = chance;
  }

  /** Rejects as the look at the files does, before LevelDB opens them. */
  async openDatabase(kind: VolumeKind, process: SimulatedProcess): Promise<Database> {
    await this.#access(process);
    const volume = this.volumes[kind];
    if (volume.visibleDamage !== undefined) {
      throw new DamagedStorage({
        what: volume.visibleDamage,
        where: kind,
        advice: 'Look at the fault that caused it.',
      });
    }
    const database = new SimulatedDatabase(this, kind, process);
    await database.load(volume.content());
    return database;
  }

  async openReceipts(process: SimulatedProcess): Promise<ReceiptStore> {
    await this.#access(process);
    if (this.areReceiptsDamaged) {
      throw new DamagedStorage({ what: 'No receipt is intact.', where: 'receipt', advice: 'Look at the fault.' });
    }
    this.#openings++;
    return {
      bootId: `boot-${this.#openings}`,
      read: async () => this.receipts.at(-1),
      write: (receipt) => this.write('receipt', process, () => this.receipts.push(receipt)),
      close: async () => undefined,
    };
  }

  /** What production gives to the replica, for one process of the member. */
  filesFor(process: SimulatedProcess): StateFiles {
    return {
      openDatabase: (kind) => this.openDatabase(kind, process),
      openReceipts: () => this.openReceipts(process),
      setAside: (what) => this.setAside(what, process),
      openIncoming: (how) => this.openIncoming(how, process),
      discardIncoming: () => this.discardIncoming(process),
      switchData: () => this.switchData(process),
    };
  }

  async setAside(what: DatabaseKind | 'receipt', process: SimulatedProcess): Promise<string> {
    await this.#access(process);
    if (what === 'receipt') {
      this.receipts = [];
      this.areReceiptsDamaged = false;
    } else {
      this.volumes[what].wipe();
    }
    return `${what}.damaged`;
  }

  async openIncoming(how: 'fresh' | 'found', process: SimulatedProcess): Promise<Database> {
    if (how === 'fresh') await this.discardIncoming(process);
    return await this.openDatabase('incoming', process);
  }

  discardIncoming(process: SimulatedProcess): Promise<void> {
    return this.write('incoming', process, () => this.volumes.incoming.wipe());
  }

  /** Two renames: between them there is no `data`. */
  async switchData(process: SimulatedProcess): Promise<void> {
    const { data, incoming } = this.volumes;
    await this.write('data', process, () => data.wipe());
    await this.write('data', process, () => {
      data.restore(incoming);
      incoming.wipe();
    });
  }

  /** One write: resolves when it is durable, unless something is wrong with the disk. */
  write(what: VolumeKind | 'receipt', process: SimulatedProcess, land: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const fails = this.#isFull || this.#failsNext === what;
      if (this.#failsNext === what) this.#failsNext = undefined;
      const flight: Flight = { land: fails ? () => undefined : land };
      this.#flights.add(flight);
      const end = (): void => {
        // It was decided when the process was killed whether this is on the disk.
        if (!this.#flights.delete(flight)) return;
        flight.land();
        if (fails) this.#breakAppending(what);
        this.#scheduler.after(0, process, () => (fails ? reject(new Error(this.#failure())) : resolve()));
      };
      this.#takeTime(() => this.#scheduler.after(this.#delay(), undefined, () => this.#takeTime(end)));
    });
  }

  /** Something was handed to it that it has not answered. */
  get isWriting(): boolean {
    return this.#flights.size > 0;
  }

  /** The process that used the disk was killed. */
  crash(): void {
    for (const flight of this.#flights) if (this.#chance.happens(0.5)) flight.land();
    this.#flights.clear();
    for (const volume of Object.values(this.volumes)) volume.crash(this.#chance);
  }

  /** Everything on it is gone. */
  wipe(): void {
    for (const volume of Object.values(this.volumes)) volume.wipe();
    this.receipts = [];
    this.areReceiptsDamaged = false;
  }

  setSpeed(speed: DiskSpeed = usualSpeed): void {
    this.#speed = speed;
  }

  setFull(isFull: boolean): void {
    this.#isFull = isFull;
  }

  /** The next write of that kind is refused. */
  failNext(what: DatabaseKind | 'receipt'): void {
    this.#failsNext = what;
  }

  /** No write ends until the returned function is called. */
  hang(): () => void {
    this.#hangs++;
    return () => {
      this.#hangs--;
      if (this.#hangs > 0) return;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const go of waiting) go();
    };
  }

  /** Whole again, and quick; what is stored stays as it is. */
  repair(): void {
    this.setSpeed();
    this.setFull(false);
    this.#failsNext = undefined;
  }

  copy(): DiskCopy {
    const { log, data, incoming } = this.volumes;
    return { log: log.copy(), data: data.copy(), incoming: incoming.copy(), receipts: [...this.receipts] };
  }

  restore(copy: DiskCopy): void {
    this.volumes.log.restore(copy.log);
    this.volumes.data.restore(copy.data);
    this.volumes.incoming.restore(copy.incoming);
    this.receipts = [...copy.receipts];
    this.areReceiptsDamaged = false;
  }

  #breakAppending(what: VolumeKind | 'receipt'): void {
    if (what !== 'receipt') this.volumes[what].breakAppending();
  }

  #failure(): string {
    return this.#isFull ? 'ENOSPC: no space left on device' : 'EIO: i/o error';
  }

  #takeTime(go: () => void): void {
    if (this.#hangs > 0) this.#waiting.push(go);
    else go();
  }

  #delay(): number {
    return this.#chance.skewed(this.#speed.minMs, this.#speed.maxMs);
  }

  #access(process: SimulatedProcess): Promise<void> {
    return new Promise((resolve) => this.#takeTime(() => void this.#scheduler.after(this.#delay(), process, resolve)));
  }
}

/** Everything on a disk at one moment. */
export interface DiskCopy {
  readonly log: Volume;
  readonly data: Volume;
  readonly incoming: Volume;
  readonly receipts: readonly Receipt[];
}

/** A LevelDB database as one process sees it: real `memory-level`, whose writes take time and reach the volume. */
class SimulatedDatabase extends MemoryLevel<Buffer, Buffer> {
  readonly #disk: SimulatedDisk;
  readonly #kind: VolumeKind;
  readonly #process: SimulatedProcess;

  constructor(disk: SimulatedDisk, kind: VolumeKind, process: SimulatedProcess) {
    super({ keyEncoding: 'buffer', valueEncoding: 'buffer' });
    this.#disk = disk;
    this.#kind = kind;
    this.#process = process;
  }

  async load(content: ReadonlyMap<string, Buffer>): Promise<void> {
    await this.open();
    const operations = [...content].map(([key, value]) => ({ type: 'put' as const, key: toBuffer(key), value }));
    await memory._batch.call(this, operations, {});
  }

  /** What every write of `abstract-level` ends in; see its README, "For implementers". */
  async _batch(operations: readonly BatchOperation[], options: { readonly sync?: boolean }): Promise<void> {
    const written = operations.map(
      (operation): Operation => [
        operation.key.toString('latin1'),
        operation.type === 'put' ? operation.value : undefined,
      ],
    );
    await this.#disk.write(this.#kind, this.#process, () => {
      this.#disk.volumes[this.#kind].append(written, options.sync === true);
      if (this.#kind === 'log' && options.sync === true) this.#disk.onLogDurable(written);
    });
    await memory._batch.call(this, operations, options);
  }

  /** LevelDB deletes what is there key by key, and syncs nothing. */
  async _clear(options: object): Promise<void> {
    const keys = await this.keys(options).all();
    await this._batch(
      keys.map((key) => ({ type: 'del', key })),
      {},
    );
  }
}

type BatchOperation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: Buffer };

interface Writing {
  _batch(operations: readonly BatchOperation[], options: object): Promise<void>;
}

/** The part of `MemoryLevel` that is for implementers, and not in its types. */
const memory = MemoryLevel.prototype as unknown as Writing;

function toBuffer(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}
