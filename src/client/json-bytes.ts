import { bytesOf, type Key } from './key-path.ts';

/** Bytes as a member of a JSON object: `{"key": "…"}` where they are text, else `{"keyBase64": "…"}`. */
export function bytesMember(name: string, bytes: Key): Readonly<Record<string, string>> {
  const text = textOf(bytesOf(bytes));
  return text === undefined ? { [`${name}Base64`]: base64Of(bytesOf(bytes)) } : { [name]: text };
}

/** What `bytesMember` wrote; no bytes if neither member is there. */
export function bytesOfMembers(text: string | undefined, base64: string | undefined): Uint8Array {
  if (base64 === undefined) return bytesOf(text ?? '');
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** By hand: `Buffer` is Node's alone, and `btoa` takes characters. */
function base64Of(bytes: Uint8Array): string {
  let characters = '';
  for (const byte of bytes) characters += String.fromCharCode(byte);
  return btoa(characters);
}
