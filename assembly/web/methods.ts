// Sets of HTTP methods, one bit of Method each, and how Allow lists them.

/** Names of Method's numbers from 1 up. */
const METHODS: string[] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/** A set of methods as the value of Allow. */
export function allowOf(methods: i32): string {
  let text = "";
  for (let i = 0; i < METHODS.length; i++) if ((methods >> (i + 1)) & 1) text += (text.length ? ", " : "") + METHODS[i];
  return text;
}
