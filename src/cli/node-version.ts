/** The majors that Balsa is tested on, with the least release of each that has what it needs. */
const supported: Readonly<Record<number, { readonly minor: number; readonly endOfLife?: string }>> = {
  20: { minor: 19, endOfLife: '2026-04-30' },
  22: { minor: 12 },
  24: { minor: 0 },
};

/** What to know about running on this version of Node.js; undefined if it is fine. */
export function adviseOnNodeVersion(version: string): string | undefined {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const release = supported[major];
  if (release === undefined) {
    return `Node.js ${version} is not one that Balsa is tested on; use one of ${Object.keys(supported).join(', ')}`;
  }
  if (minor < release.minor)
    return `Node.js ${version} lacks fixes that Balsa needs; use ${major}.${release.minor} or later`;
  if (release.endOfLife !== undefined) {
    return `Node.js ${major} has had no security fixes since ${release.endOfLife}; use ${Math.max(...Object.keys(supported).map(Number))}`;
  }
  return undefined;
}
