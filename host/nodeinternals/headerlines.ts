/**
 * Header fields of an `IncomingMessage`: `_addHeaderLines` takes names and values, which Node joins by its rules when a
 * handler asks for them. The fallback sets the public properties, joined by the same rules, for each request.
 *
 * Reference: nodejs.org/api/http.html, message.headers.
 */
import type { IncomingMessage } from "node:http";
import { nodeInternal } from "./internal.js";
import { sampleMessage } from "./samples.js";

type Lined = IncomingMessage & { _addHeaderLines(fields: string[], count: number): void };
type Joined = Record<string, string | string[]>;

export const headerLines = nodeInternal(
  "_addHeaderLines",
  "time for each request of a Node handler: its fields are joined before they are asked for",
  () => {
    const message = sampleMessage() as Lined;
    message._addHeaderLines(["Name", "value"], 2);
    return message.headers.name === "value" && message.rawHeaders.length === 2;
  },
);

const isThere = headerLines.isThere();

/** Gives `message` its header fields, names and values in turn; its trailers when it is complete. */
export function addFields(message: IncomingMessage, fields: string[]): void {
  if (isThere) return (message as Lined)._addHeaderLines(fields, fields.length);
  const [joined, distinct] = join(fields);
  if (message.complete) {
    message.rawTrailers = fields;
    message.trailers = joined as NodeJS.Dict<string>;
    message.trailersDistinct = distinct;
  } else {
    message.rawHeaders = fields;
    message.headers = joined;
    message.headersDistinct = distinct;
  }
}

/** The first of them counts. */
const SINGLE = new Set(
  [
    ["age", "authorization", "content-length", "content-type", "etag", "expires", "from", "host", "if-modified-since"],
    ["if-unmodified-since", "last-modified", "location", "max-forwards", "proxy-authorization", "referer"],
    ["retry-after", "server", "user-agent"],
  ].flat(),
);

function join(fields: readonly string[]): [Joined, Record<string, string[]>] {
  const joined: Joined = Object.create(null);
  const distinct: Record<string, string[]> = Object.create(null);
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const key = (fields[at] as string).toLowerCase();
    const value = fields[at + 1] as string;
    distinct[key] = [...(distinct[key] ?? []), value];
  }
  for (const [key, values] of Object.entries(distinct)) {
    if (key === "set-cookie") joined[key] = values;
    else if (SINGLE.has(key)) joined[key] = values[0] as string;
    else joined[key] = values.join(key === "cookie" ? "; " : ", ");
  }
  return [joined, distinct];
}
