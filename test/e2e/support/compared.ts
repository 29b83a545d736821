// The same request to another server and to ours: the answers must be the same.
import { once } from "node:events";
import http from "node:http";

import { expect } from "vitest";

export interface Asked {
  method?: string;
  target: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string | Buffer;
}

export interface Answered {
  status: number | undefined;
  reason: string | undefined;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** What a server adds by itself, or what differs between two runs of one. */
const OWN = ["date", "connection", "keep-alive", "transfer-encoding"];

export async function ask(port: number, { method = "GET", target, headers = {}, body }: Asked): Promise<Answered> {
  const request = http.request({
    port,
    method,
    path: target,
    headers: { Host: "example.org", ...headers },
    agent: false,
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece);
  const fields = Object.entries(response.headers).filter(([name]) => !OWN.includes(name));
  return {
    status: response.statusCode,
    reason: response.statusMessage,
    headers: Object.fromEntries(fields.sort()),
    body: Buffer.concat(pieces).toString("latin1"),
  };
}

/**
 * Sends a request to both; ours may say the length of an answer that Node sends in chunks. `even` takes away what
 * differs by right.
 */
export async function compare(
  theirs: number,
  ours: number,
  asked: Asked,
  even: (expected: Answered, given: Answered) => void = () => {},
): Promise<void> {
  const [expected, given] = await Promise.all([ask(theirs, asked), ask(ours, asked)]);
  if (expected.headers["content-length"] === undefined) delete given.headers["content-length"];
  even(expected, given);
  expect(given).toEqual(expected);
}

export const json = (target: string, value: unknown): Asked => ({
  method: "POST",
  target,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(value),
});

export function upload(target: string, bytes: number): Asked {
  const part = (head: string, text: string) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${text}\r\n`;
  const body = `${part('name="text"', "tä")}${part('name="file"; filename="f.txt"', "x".repeat(bytes))}--b--\r\n`;
  return { method: "POST", target, headers: { "Content-Type": "multipart/form-data; boundary=b" }, body };
}

export const name = ({ method = "GET", target, headers = {}, body = "" }: Asked) =>
  `${method} ${target} ${Object.keys(headers)} ${body.length}`;
