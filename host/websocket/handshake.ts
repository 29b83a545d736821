/**
 * The host's part of the opening handshake: which ones are refused, with which status, and what is agreed on
 * (RFC 6455 4.2).
 *
 * The sandbox has checked the form and marks what it found well-formed (`request.isWebSocket`). What is looked at here
 * is why it was not, and what only the application can decide: origin, subprotocol, extensions.
 */
import type { HTTPServerRequest } from "../http/request.js";

/** An answer that is not 101. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const FOREIGN_ORIGIN: Refusal = { status: 403, text: "Cross origin websockets not allowed" };
export const BAD_EXTENSIONS: Refusal = { status: 400, text: "Sec-WebSocket-Extensions is malformed" };
const VERSION = "13";

/** Why a request is no opening handshake that could be accepted; null when it is one. */
export function refusalOf(request: HTTPServerRequest): Refusal | null {
  if (request.isWebSocket) return null;
  const { headers } = request;
  if (request.method !== "GET") return { status: 405, text: "Method Not Allowed", headers: { Allow: "GET" } };
  if (!names(headers.get("upgrade"), "websocket")) return bad('Can "Upgrade" only to "WebSocket".');
  if (!names(headers.get("connection"), "upgrade")) return bad('"Connection" must be "Upgrade".');
  if (headers.get("sec-websocket-version") !== VERSION) {
    return {
      status: 426,
      text: "The WebSocket version must be 13",
      headers: { Upgrade: "websocket", "Sec-WebSocket-Version": VERSION },
    };
  }
  if (!headers.has("sec-websocket-key")) return bad("Sec-WebSocket-Key is missing");
  return bad("The opening handshake is malformed");
}

function bad(text: string): Refusal {
  return { status: 400, text };
}

/** Whether a comma-separated list has a member, in any case. */
function names(list: string | null, member: string): boolean {
  return list?.split(",").some((item) => item.trim().toLowerCase() === member) ?? false;
}

/** The members of Sec-WebSocket-Protocol, in the client's order. */
export function subprotocolsOf(request: HTTPServerRequest): string[] {
  const list = request.headers.get("sec-websocket-protocol")?.split(",") ?? [];
  return list.map((item) => item.trim()).filter((item) => item !== "");
}
