// Vectors of fetch's classes, with Node's own classes and with the light ones: what passes with Node's own passes with
// each. They are those of test/corpus/fetch, and with WPT=<folder> those of a checkout of web-platform-tests.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setGlobalOrigin } from "undici";
import { expect, test } from "vitest";
import { standardRequest } from "../../../host/fetch/request.js";
import type { HTTPServerRequest } from "../../../host/http/request.js";
import { fetchCallback } from "../../../host/server/fetchserver.js";
import { type Outcomes, runVectors, type Scope } from "./support/harness.js";

const OWN = join(import.meta.dirname, "../../corpus/fetch");
const { WPT } = process.env;

/** The programs of vectors below a folder, by name: each with the scripts that it asks for, but for those of a server. */
function programs(folder: string): [string, string[]][] {
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith(".any.js"))
    .sort()
    .flatMap((name) => {
      const file = join(folder, name);
      const source = readFileSync(file, "utf8");
      const scripts = [...source.matchAll(/^\/\/ META: script=(.*)$/gm)].map(([, path]) => path as string);
      if (scripts.some((path) => path.startsWith("/"))) return [];
      return [[name, [...scripts.map((path) => readFileSync(join(dirname(file), path), "utf8")), source]]];
    });
}

const all = [
  ...programs(OWN),
  ...(WPT === undefined ? [] : ["body", "headers", "request", "response"]).flatMap((kind) =>
    programs(join(WPT as string, "fetch/api", kind)),
  ),
];

/** Where addresses that a file does not give whole begin: a port that fetch connects to for nobody. */
const BASE = new URL("http://localhost:9/fetch/api/");
setGlobalOrigin(BASE);

async function outcomes(scope: () => Scope): Promise<Map<string, Outcomes>> {
  const found = new Map<string, Outcomes>();
  for (const [name, sources] of all) found.set(name, await runVectors(sources, { ...scope(), location: BASE }));
  return found;
}

/** A server's request that is as `request` is. */
function served(request: Request): HTTPServerRequest {
  const { host, pathname, search, protocol } = new URL(request.url);
  return {
    methodNumber: 0,
    method: request.method,
    protocol: protocol.slice(0, -1),
    host,
    target: pathname + search,
    path: pathname,
    rawFields: [...request.headers].flat(),
    contentLength: request.body === null ? 0 : null,
    body: request.body,
    readBody: async () => Buffer.from(await request.arrayBuffer()),
    signal: request.signal,
    remoteAddress: null,
  } as never;
}

/** Whether a server can get such a request: the rest is between a program and its `fetch`. */
function canBeServed(request: Request): boolean {
  const { url, mode, credentials, cache, redirect, integrity, referrer, referrerPolicy, keepalive } = request;
  const of = [mode, credentials, cache, redirect, integrity, referrer, referrerPolicy, keepalive].join();
  return /^https?:[^#@]*$/.test(url) && of === "cors,same-origin,default,follow,,about:client,,false";
}

/** Makes requests as a handler gets them. */
function ServedRequest(...given: ConstructorParameters<typeof Request>): object {
  if (new.target === undefined) throw new TypeError("Class constructor Request cannot be invoked without 'new'");
  if ((new.target as unknown) !== ServedRequest) return Reflect.construct(Request, given, new.target);
  const request = new Request(...given);
  const { body, signal } = given[1] ?? {};
  if (!canBeServed(request) || signal !== undefined || body instanceof ReadableStream) return request;
  return standardRequest(served(request), true);
}

let native: Map<string, Outcomes>;

/** What passes with Node's own classes and not here. */
function lost(light: Map<string, Outcomes>): unknown[] {
  return [...native].flatMap(([file, expected]) =>
    [...expected]
      .filter(([name, error]) => error === null && light.get(file)?.get(name) !== null)
      .map(([name]) => [file, name, light.get(file)?.get(name)]),
  );
}

test("with Node's own classes", async () => {
  native = await outcomes(() => ({ Request, Response, Headers }));
  const passed = [...native.values()].flatMap((each) => [...each.values()]).filter((error) => error === null);
  expect(passed.length).toBeGreaterThan(300);
});

test("with the light Response, and requests that a program makes", async () => {
  fetchCallback(() => new Response());
  expect(lost(await outcomes(() => ({ Request, Response, Headers })))).toEqual([]);
});

test("with requests as handlers get them", async () => {
  ServedRequest.prototype = Request.prototype;
  expect(lost(await outcomes(() => ({ Request: ServedRequest, Response, Headers })))).toEqual([]);
});
