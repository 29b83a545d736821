/**
 * Requests that ask for the connection itself: `upgrade` and `connect` of Node's server.
 *
 * Invariant: only a request without a body is handed over, so what comes behind its head is never a part of it; what
 * came with the head is `head`. Reference: RFC 9110 7.8 and 9.3.6.
 */
import type { IncomingMessage } from "node:http";
import type { HTTPServerRequest } from "../http/request.js";
import { detach } from "../server/detach.js";
import type { StreamSettings } from "../stream/settings.js";
import { incomingMessage } from "./incoming.js";
import { RequestSocket, type TimeoutSource } from "./socket.js";
import { UpgradedSocket } from "./upgradedsocket.js";

/** Node's `shouldUpgradeCallback`: whether a request that offers an upgrade is one. */
export type ShouldUpgrade = (request: IncomingMessage) => boolean;

export interface UpgradeServer extends TimeoutSource {
  listenerCount(event: string): number;
  readonly shouldUpgrade: ShouldUpgrade | null;
}

const METHOD_OTHER = 0;

/** Whether `request` was taken by a listener for `upgrade` or `connect`, or refused as a CONNECT that none takes. */
export function takeUpgrade(request: HTTPServerRequest, server: UpgradeServer, settings: StreamSettings): boolean {
  if (request.methodNumber === METHOD_OTHER && request.method === "CONNECT") {
    if (server.listenerCount("connect") > 0) handOver("connect", request, server, settings);
    else request.respond(501, { Connection: "close", "Content-Type": "text/plain" }, "This server is not a proxy\n");
    return true;
  }
  const isHeard = server.listenerCount("upgrade") > 0;
  if (!isHeard && server.shouldUpgrade === null) return false;
  if (!offersUpgrade(request)) return false;
  if (server.shouldUpgrade !== null) {
    const message = incomingMessage(request, RequestSocket.of(request, server));
    if (!server.shouldUpgrade(message)) return false;
    if (!isHeard) {
      request.cancel();
      return true;
    }
  }
  handOver("upgrade", request, server, settings);
  return true;
}

function offersUpgrade(request: HTTPServerRequest): boolean {
  if (!request.hasField("upgrade") || request.contentLength !== 0 || request.version !== "HTTP/1.1") return false;
  const options = request.headers.get("connection")?.toLowerCase().split(",") ?? [];
  return options.some((option) => option.trim() === "upgrade");
}

function handOver(
  event: "connect" | "upgrade",
  request: HTTPServerRequest,
  server: UpgradeServer,
  settings: StreamSettings,
): void {
  const message = incomingMessage(request, RequestSocket.of(request, server));
  detach(request, settings, (stream, ahead, answered) => {
    const socket = new UpgradedSocket(stream, request.remoteAddress, server, answered);
    Object.assign(message, { socket, upgrade: true });
    const tell = (head: Buffer): void => {
      socket.read(0); // as Node's, it hears of the client's end also when nothing reads
      server.emit(event, message, socket, head);
    };
    if (ahead === 0) process.nextTick(tell, Buffer.alloc(0));
    else
      stream.readBytes(ahead).then(
        (head) => process.nextTick(tell, head),
        () => socket.destroy(),
      );
  });
}
