/**
 * `JSON.parse` with a bound on depth: the engine's own uses the runtime's stack, whose end is the end of the component,
 * and the text is most often a client's.
 */

/** Arrays and objects inside each other. The runtime's stack has room for some more. */
export const JSON_DEPTH_MAX = 500;

function isTooDeep(text: string): boolean {
  // A text with few brackets, which is nearly every one, is not looked at twice.
  if (text.length <= JSON_DEPTH_MAX || countOf(text, "[") + countOf(text, "{") <= JSON_DEPTH_MAX) return false;
  let depth = 0;
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"?|[[\]{}]/gs)) {
    if (token === "[" || token === "{") {
      if (++depth > JSON_DEPTH_MAX) return true;
    } else if (token === "]" || token === "}") depth--;
  }
  return false;
}

/** At most one more than the bound. */
function countOf(text: string, bracket: string): number {
  return text.split(bracket, JSON_DEPTH_MAX + 2).length - 1;
}

export function installJSON(): void {
  const native = JSON.parse;
  JSON.parse = (text: string, reviver?: (this: unknown, key: string, value: unknown) => unknown): unknown => {
    const whole = String(text);
    if (isTooDeep(whole)) throw new SyntaxError(`JSON that is more than ${JSON_DEPTH_MAX} deep`);
    return native(whole, reviver);
  };
}
