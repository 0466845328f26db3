import type { Frame, Origin } from './cpu-profile.ts';

const width = 1200;
const rowHeight = 16;
const top = 56;
/** Of a row's letters, about. */
const letterWidth = 6;
/** Narrower frames are left out, with all that they called. */
const frameWidthMin = 0.5;

const colours: Readonly<Record<Origin, string>> = {
  balsa: '#7fb3d5',
  package: '#f0b27a',
  node: '#a9d18e',
  native: '#cccccc',
  garbage: '#e6a5b0',
};
const legend: Readonly<Record<Origin, string>> = {
  balsa: 'Balsa',
  package: 'packages',
  node: 'Node.js',
  native: 'native code',
  garbage: 'collection of garbage',
};

/**
 * A flame graph as an SVG document: width is time, callers are above what they call, frames of one caller stand by length
 * and not in the order of time. Hovering tells a frame's name and share.
 */
export function flameGraph(root: Frame, title: string): string {
  const rects: string[] = [];
  let depthMax = 0;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const frameWidth = (frame.totalUs / root.totalUs) * width;
    if (frameWidth < frameWidthMin) return;
    depthMax = Math.max(depthMax, depth);
    rects.push(rect(frame, { x, y: top + depth * rowHeight, frameWidth, totalUs: root.totalUs }));
    let calleeX = x;
    for (const callee of frame.callees) {
      draw(callee, calleeX, depth + 1);
      calleeX += (callee.totalUs / root.totalUs) * width;
    }
  };
  draw(root, 0, 0);
  const height = top + (depthMax + 1) * rowHeight + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="monospace" font-size="10">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="8" y="20" font-size="14">${escaped(title)}</text>`,
    ...keys(),
    ...rects,
    '</svg>\n',
  ].join('\n');
}

function keys(): readonly string[] {
  return (Object.keys(legend) as Origin[]).map((origin, i) => {
    const x = 8 + i * 170;
    return `<rect x="${x}" y="32" width="10" height="10" fill="${colours[origin]}"/><text x="${x + 14}" y="41">${legend[origin]}</text>`;
  });
}

function rect(
  { name, origin, totalUs }: Frame,
  at: { readonly x: number; readonly y: number; readonly frameWidth: number; readonly totalUs: number },
): string {
  const { x, y, frameWidth } = at;
  const letters = Math.floor((frameWidth - 4) / letterWidth);
  const label = name.length <= letters ? name : letters > 3 ? `${name.slice(0, letters - 1)}…` : '';
  const share = ((totalUs / at.totalUs) * 100).toFixed(1);
  const text = label === '' ? '' : `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escaped(label)}</text>`;
  return (
    `<g><title>${escaped(name)}: ${share} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${frameWidth.toFixed(1)}" ` +
    `height="${rowHeight - 1}" fill="${colours[origin]}"/>${text}</g>`
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
