export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** Maps values above zero to lengths, each decade the same. */
export interface LogScale {
  readonly low: number;
  readonly high: number;
  /** From 0 (`low`) to 1 (`high`). */
  at(value: number): number;
}

export function logScale(low: number, high: number): LogScale {
  if (!(low > 0 && high > low)) throw new Error(`no logarithmic axis goes from ${low} to ${high}`);
  const span = Math.log(high / low);
  return { low, high, at: (value) => Math.log(value / low) / span };
}

/** The smallest scale between marks of 1, 2 or 5 times a power of ten that holds all values, at least a factor of 10. */
export function scaleAround(values: readonly number[]): LogScale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return logScale(1, 10);
  const low = markBelow(Math.min(...positive));
  const high = markAbove(Math.max(...positive));
  return logScale(low, Math.max(high, low * 10));
}

/** Powers of ten; where there are few of them, their double and fivefold too. */
export function ticksOf({ low, high }: LogScale): readonly Tick[] {
  const steps = high / low <= 1000 ? marks : [1];
  const ticks: Tick[] = [];
  for (let exponent = exponentOf(low); exponent <= exponentOf(high); exponent++) {
    for (const step of steps) {
      const value = Number(`${step}e${exponent}`);
      if (value >= low && value <= high) ticks.push({ value, label: short(value) });
    }
  }
  return ticks;
}

/** 25000 → `25k`, 0.05 → `0.05`. */
export function short(value: number): string {
  if (value >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (value >= 1e3) return `${trimmed(value / 1e3)}k`;
  return trimmed(value);
}

const marks = [1, 2, 5];

function markBelow(value: number): number {
  const exponent = exponentOf(value);
  return Math.max(...marks.map((mark) => Number(`${mark}e${exponent}`)).filter((mark) => mark <= value));
}

function markAbove(value: number): number {
  const exponent = exponentOf(value);
  return Math.min(...[...marks, 10].map((mark) => Number(`${mark}e${exponent}`)).filter((mark) => mark >= value));
}

/** By its digits: a logarithm of 1000 may come out a hair below 3. */
function exponentOf(value: number): number {
  return Number(value.toExponential().split('e')[1]);
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}
