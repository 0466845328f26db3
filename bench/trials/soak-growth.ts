/** What was seen of the nodes and of the requests in one interval of `soak`. */
export interface SoakSample {
  /** Since the load began, at the end of the interval. */
  readonly seconds: number;
  readonly nodes: readonly SoakNode[];
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly putP50Millis: number;
  readonly putP99Millis: number;
  readonly getP50Millis: number;
  readonly getP99Millis: number;
}

export interface SoakNode {
  readonly rssMiB: number;
  /** Without mapped files. */
  readonly ownMiB: number;
  readonly descriptors: number;
  readonly tables: number;
}

/** The mean over the second fifth of a run, when it has settled, and over the last. */
export interface Ends {
  readonly early: number;
  readonly late: number;
}

/** NaN where there are fewer than five samples. */
export function endsOf(samples: readonly SoakSample[], figureOf: (sample: SoakSample) => number): Ends {
  const at = (fifth: number): number => Math.floor((samples.length * fifth) / 5);
  const mean = (part: readonly SoakSample[]): number =>
    part.reduce((sum, sample) => sum + figureOf(sample), 0) / part.length;
  return { early: mean(samples.slice(at(1), at(2))), late: mean(samples.slice(at(4))) };
}

/** The largest growth of any node, as `growth` says it. */
export function largestGrowth(
  samples: readonly SoakSample[],
  figureOf: (node: SoakNode) => number,
  growth: (ends: Ends) => number,
): number {
  const nodes = samples[0]?.nodes ?? [];
  const growths = nodes.map((_, i) =>
    growth(
      endsOf(samples, (sample) => {
        const node = sample.nodes[i];
        return node === undefined ? Number.NaN : figureOf(node);
      }),
    ),
  );
  // The largest of none is no figure.
  return growths.length === 0 ? Number.NaN : Math.max(...growths);
}

export function difference({ early, late }: Ends): number {
  return late - early;
}

export function percentMore({ early, late }: Ends): number {
  return (100 * (late - early)) / early;
}

export function ratio({ early, late }: Ends): number {
  return late / early;
}
