/**
 * Names of hosts as `whatwg-url` wants them, in the place of tr46, whose tables of all letters weigh more than all else
 * here. Invariant: a name of ASCII is what it is there; any other is refused.
 */
export function toASCII(domain: string): string | null {
  return [...domain].every((letter) => letter < "\x80") ? domain.toLowerCase() : null;
}

export function toUnicode(domain: string): { domain: string; error: boolean } {
  return { domain, error: false };
}
