// A client that speaks TLS, over a connection that a test has made.
import type tls from "node:tls";

import { eventually } from "./ways.js";

/** Gathers what comes. */
export class SecureClient {
  received = Buffer.alloc(0);
  ended = false;
  error: NodeJS.ErrnoException | null = null;

  constructor(readonly socket: tls.TLSSocket) {
    socket.on("data", (chunk) => (this.received = Buffer.concat([this.received, chunk])));
    socket.on("end", () => (this.ended = true));
    socket.on("error", (error) => (this.error = error));
  }

  async line(): Promise<string> {
    await eventually("a line", () => this.received.includes("\n") || this.ended || this.error !== null);
    const end = this.received.indexOf("\n") + 1;
    if (end === 0) throw this.error ?? new Error("closed without a line");
    const line = this.received.toString("utf8", 0, end);
    this.received = this.received.subarray(end);
    return line;
  }
}
