/**
 * What stands in a component for modules of the host that need Node: scripts/bundle.mjs has the list.
 *
 * Invariant: what a component cannot do throws an error that says so; nothing is passed over.
 */
import { HTTPInputError, OptionError } from "../host/core/errors.js";
import type { HTTPServerRequest } from "./httprequest.js";
import { inspect } from "./inspect.js";
import { Response } from "./messages.js";
import { hash } from "./node/crypto.js";

export { headerPairs } from "./httpheaders.js";
export { logger as defaultLogger } from "./logger.js";

// host/server/httpserver.ts, host/server/inject.ts

/** The component listens by itself. */
export class HTTPServer {
  constructor() {
    throw new OptionError("an application in a component makes no server: the component listens by itself");
  }
}

export function inject(): never {
  throw new OptionError("inject() is for tests in Node: a component does not have it");
}

// host/web/staticfiles.ts, host/web/staticurl.ts, host/http/form/tempfiles.ts

/** The target of the routes that the setting `staticPath` makes. */
export function StaticFileHandler(): never {
  throw noFiles();
}

export function staticUrl(): never {
  throw noFiles();
}

function noFiles(): OptionError {
  return new OptionError("a component has no files: let a proxy or a CDN serve them");
}

export class FormFolder {
  store(): never {
    throw new HTTPInputError("a component has no temporary files: readForm() with onFile takes those of a form", 501);
  }

  remove(): void {}
}

// host/web/bodytags.ts

/** A longer body has no tag of its own accord: the engine takes 0.3 ms for each KiB. */
const TAGGED_BYTES_MAX = 1024;
let lastText = "";
let lastTag = `"${hash("sha1", "")}"`;

/** The strong tag of a short body, its sha1. */
export function etagOf(body: string | Uint8Array): string | null {
  if (body.length > TAGGED_BYTES_MAX) return null;
  if (body === lastText) return lastTag;
  const tag = `"${hash("sha1", body)}"`;
  if (typeof body === "string") [lastText, lastTag] = [body, tag];
  return tag;
}

// host/http/forwarded.ts

/** No proxy is trusted. */
export function isFromProxy(): boolean {
  return false;
}

// host/http/settings.ts, host/http/debugpage.ts

export function isDebugDefault(): boolean {
  return false;
}

export function debugAnswer(status: string, error: unknown): { headers: Record<string, string>; body: string } {
  const headers = { "Content-Type": "text/plain; charset=UTF-8", "Cache-Control": "no-store" };
  return { headers, body: `${status}\n\n${inspect(error)}\n` };
}

// host/fetch/send.ts

export function isResponse(value: unknown): value is Response {
  return value instanceof Response;
}

export function sendAnswer(request: HTTPServerRequest, answer: Response): void {
  request.respondWith(answer);
}

// host/core/garbage.ts

export function tookBlock(): void {}

// host/bridge/trace.ts

export function frameTrace(): null {
  return null;
}

// host/tls/starttls.ts, host/tls/bridgesocket.ts, host/tls/contexts.ts

export function noTLS(): OptionError {
  return new OptionError("a component has no TLS: let a proxy have it");
}

export function planTLS(): never {
  throw noTLS();
}

export class BridgeSocket {}

export function tlsOf(): null {
  return null;
}

// node:stream

export class Duplex {
  constructor() {
    throw new OptionError("a component has no streams of Node's kind: toWeb() gives those of the web platform");
  }
}

// host/websocket/deflate.ts

/** So messages travel as they are. */
export const HAS_DEFLATE = false;

export class Deflater {}

export class Inflater {}

export function canTakeOver(): boolean {
  return false;
}

export function isTooLarge(): boolean {
  return false;
}
