/**
 * Of two things that can be sent, the one that an `Accept` header prefers; `usual` if it does not say (RFC 9110,
 * 12.5.1). A client that accepts neither gets the usual one: its type is named in the answer.
 */
export function preferredType<Usual extends string, Other extends string>(
  accept: string | undefined,
  usual: Usual,
  other: Other,
): Usual | Other {
  // What curl and nearly every HTTP library send; not worth parsing.
  if (accept === undefined || accept === '*/*') return usual;
  if (accept === other) return other;
  const ranges = parseAccept(accept);
  return qualityOf(other, ranges) > qualityOf(usual, ranges) ? other : usual;
}

interface MediaRange {
  readonly range: string;
  readonly quality: number;
}

function parseAccept(accept: string): MediaRange[] {
  return accept.split(',').map((part) => {
    const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const quality = weight === undefined ? 1 : Number(weight.slice(2));
    return { range, quality: quality >= 0 && quality <= 1 ? quality : 0 };
  });
}

/** That of the most specific range that matches, whatever the order they are written in. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  const group = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const candidate of [type, group, '*/*']) {
    const match = ranges.find(({ range }) => range === candidate);
    if (match !== undefined) return match.quality;
  }
  return 0;
}
