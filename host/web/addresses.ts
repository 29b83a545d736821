/**
 * Where an address leads. Invariant: what a browser takes for another site is never taken for this one, however it is
 * written: browsers drop tabs and line ends inside of an address, and read a backslash as a slash (WHATWG URL 4.4).
 */

/** Scheme and host that a browser would find in `url`; "" for an address of the same site. */
export function siteOf(url: string): string {
  const base = "http://same.invalid";
  const text = url.replace(/[\t\n\r]/g, "").replace(/^[\0-\x20]+/, "");
  try {
    const { protocol, host, username, password } = new URL(text, base);
    return host === "same.invalid" && protocol === "http:" ? "" : `${protocol}//${username}:${password}@${host}`;
  } catch {
    return "not an address";
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\0-\x1f\x7f]/;

/** Whether `url` holds what cannot be sent in a header field. */
export function hasControl(url: string): boolean {
  return CONTROL.test(url);
}
