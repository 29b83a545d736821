// Sets of HTTP methods, one bit of Method each, and how Allow lists them.

import { METHODS } from "../protocol/http/method";

/** A set of methods as the value of Allow. */
export function allowOf(methods: i32): string {
  let text = "";
  for (let i = 0; i < METHODS.length; i++) if ((methods >> (i + 1)) & 1) text += (text.length ? ", " : "") + METHODS[i];
  return text;
}
