/**
 * The header fields that a handler has set on a `ServerResponse`: `kOutHeaders`, an object of `[name, value]` by the
 * name in lower case. The public methods give the same, with a copy of the names for each answer.
 */
import type { ClientRequest, ServerResponse } from "node:http";
import { nodeInternal } from "./internal.js";
import { responseSymbol, sampleResponse } from "./samples.js";

type OutHeaders = Record<string, [name: string, value: unknown]>;

const HEADERS = responseSymbol("kOutHeaders") as symbol;

export const outHeaders = nodeInternal("kOutHeaders", "a little time for each answer of a Node handler", () => {
  const response = sampleResponse();
  response.setHeader("Name", "value");
  return (Reflect.get(response, HEADERS) as OutHeaders).name?.join() === "Name,value";
});

const isThere = outHeaders.isThere();

/** Calls `take` with each field. Returns false when the response has none. */
export function eachOutHeader(
  response: ServerResponse,
  take: (key: string, name: string, value: unknown) => void,
): boolean {
  if (!isThere) return eachPublicly(response, take);
  const kept = Reflect.get(response, HEADERS) as OutHeaders | null;
  if (kept == null) return false;
  for (const key in kept) {
    const [name, value] = kept[key] as [string, unknown];
    take(key, name, value);
  }
  return true;
}

function eachPublicly(response: ServerResponse, take: (key: string, name: string, value: unknown) => void): boolean {
  // Node's types have it only for requests that are sent.
  const names = (response as unknown as Pick<ClientRequest, "getRawHeaderNames">).getRawHeaderNames();
  for (const name of names) take(name.toLowerCase(), name, response.getHeader(name));
  return names.length > 0;
}
