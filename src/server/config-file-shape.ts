/** More than any configuration needs, by far. */
const charactersMax = 32 * 1024;
const depthMax = 50;

/**
 * Why a file is not given to the YAML parser. That calls itself for each level of nesting, and where the stack ends in
 * the midst of compiling a regular expression, V8 does not throw but aborts the process. Brackets in quotation marks and
 * comments count as well: better to refuse one odd file than to parse it in order to know.
 */
export function objectionToShape(text: string): string | undefined {
  if (text.length > charactersMax) return `has ${text.length} characters; ${charactersMax} are allowed`;
  return deepestNesting(text) > depthMax ? `is nested deeper than ${depthMax} levels` : undefined;
}

/** At least as deep as it is, but for what is nested by indentation, of which 32 KiB hold less than the stack does. */
function deepestNesting(text: string): number {
  let open = 0;
  let indicators = 0;
  let deepest = 0;
  let mayBegin = true;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\n' || character === '\r') {
      indicators = 0;
      mayBegin = true;
    }
    if (isSpace(character)) continue;
    if (character === '[' || character === '{') open++;
    if (character === ']' || character === '}') open = Math.max(0, open - 1);
    // `- - - x` is a list in a list in a list; `? ? x` and `: : x` are maps in maps. A `:` behind a word is none of those.
    const isIndicator: boolean =
      '-?:'.includes(character) && isSpace(text.charAt(at + 1)) && (character !== ':' || mayBegin);
    if (isIndicator) indicators++;
    mayBegin = isIndicator;
    deepest = Math.max(deepest, open + indicators);
  }
  return deepest;
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r' || character === '';
}
