/** The source of all chance below `server/`: seeded in the simulator and in tests, so that a run can be repeated. */
export interface Random {
  /** A whole number from 0 up to, not including, `bound` (1 … 2^32). */
  below(bound: number): number;
}

/** The sfc32 generator (Chris Doty-Humphrey, PractRand): small, fast, and the same on every machine. */
export function seededRandom(seed: number): Random {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) next();
  return { below: (bound) => Math.floor((next() / 2 ** 32) * bound) };
}
