import { changedSpan, type DiffLine, diffLines } from '../model/diff.ts';
import { el } from './dom.ts';
import { formatOf, valueText } from './value-text.ts';

/** Lines of the same around a change; the rest is folded. */
const context = 3;
const linesMax = 4000;

/** What changed from one value to another; a missing value is one without lines. */
export function diffView(before: Uint8Array | undefined, after: Uint8Array | undefined): HTMLElement {
  const formats = [before, after].map((value) =>
    value === undefined || value.length === 0 ? undefined : formatOf(value),
  );
  const format = formats.includes('hex')
    ? 'hex'
    : formats.includes('text')
      ? 'text'
      : (formats[0] ?? formats[1] ?? 'text');
  const text = (value: Uint8Array | undefined): string => (value === undefined ? '' : valueText(value, format));
  const lines = diffLines(text(before), text(after)).filter((line) => !isNothing(line, before, after));
  if (lines.every(({ kind }) => kind === 'same')) return el('p', { class: 'diff-same' }, 'The values are the same.');
  const rows: HTMLElement[] = [];
  for (const part of folded(lines)) {
    if ('hidden' in part) rows.push(foldRow(part.hidden));
    else rows.push(diffRow(lines[part.at] as DiffLine, partnerOf(part.at, lines)));
    if (rows.length === linesMax) {
      rows.push(el('tr', { class: 'fold' }, el('td', { colspan: 4 }, 'The rest is too long to be shown.')));
      break;
    }
  }
  return el(
    'div',
    { class: 'diff', tabindex: 0, role: 'region', 'aria-label': 'Differences' },
    el('table', {}, el('tbody', {}, rows)),
  );
}

/** A value that is not there has no line, also not an empty one. */
function isNothing(line: DiffLine, before: Uint8Array | undefined, after: Uint8Array | undefined): boolean {
  if (line.text !== '') return false;
  return (before === undefined && line.kind === 'removed') || (after === undefined && line.kind === 'added');
}

type Part = { readonly at: number } | { readonly hidden: number };

/** The lines near a change, and how many are left out between them. */
function folded(lines: readonly DiffLine[]): Part[] {
  const near = new Set<number>();
  for (const [i, { kind }] of lines.entries()) {
    if (kind !== 'same') for (let at = i - context; at <= i + context; at++) near.add(at);
  }
  const parts: Part[] = [];
  let hidden = 0;
  for (const i of lines.keys()) {
    if (!near.has(i)) {
      hidden++;
      continue;
    }
    if (hidden > 0) parts.push({ hidden });
    hidden = 0;
    parts.push({ at: i });
  }
  if (hidden > 0) parts.push({ hidden });
  return parts;
}

/** The line that took this one's place, where a single line was changed. */
function partnerOf(at: number, lines: readonly DiffLine[]): DiffLine | undefined {
  const line = lines[at] as DiffLine;
  const [other, beyond, behind] =
    line.kind === 'removed'
      ? [lines[at + 1], lines[at + 2], lines[at - 1]]
      : [lines[at - 1], lines[at - 2], lines[at + 1]];
  if (line.kind === 'same' || other === undefined || other.kind === 'same' || other.kind === line.kind)
    return undefined;
  return beyond?.kind === other.kind || behind?.kind === line.kind ? undefined : other;
}

function diffRow(line: DiffLine, partner: DiffLine | undefined): HTMLElement {
  const { kind, text, oldNumber, newNumber } = line;
  const mark = { same: '', removed: '−', added: '+' }[kind];
  const spoken = { same: undefined, removed: 'removed', added: 'added' }[kind];
  return el(
    'tr',
    { class: kind },
    el('td', { class: 'number' }, oldNumber),
    el('td', { class: 'number' }, newNumber),
    el('td', { class: 'mark', 'aria-label': spoken }, mark),
    el('td', { class: 'line' }, partner === undefined ? text : emphasized(line, partner)),
  );
}

function emphasized({ kind, text }: DiffLine, partner: DiffLine): (HTMLElement | string)[] {
  const { start, oneEnd } = changedSpan(text, partner.text);
  return [
    text.slice(0, start),
    el(kind === 'removed' ? 'del' : 'ins', {}, text.slice(start, oneEnd)),
    text.slice(oneEnd),
  ];
}

function foldRow(lines: number): HTMLElement {
  return el('tr', { class: 'fold' }, el('td', { colspan: 4 }, `${lines} unchanged ${lines === 1 ? 'line' : 'lines'}`));
}
