// A TCP client for tests: it sends exactly the given bytes, reads with deadlines, and sees the difference
// between an orderly end and a reset. Every wait ends: with what was asked for, or with an error that shows what had
// come instead.
import net from "node:net";
import type { Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";

import { parseHead, type Response } from "./response.js";

/** Generous, for a busy machine; a test that waits this long has failed. */
export const DEADLINE_MS = 15_000;

export class Client {
  private chunks: Buffer[] = [];
  private size = 0;
  /** The peer has ended its side in an orderly way. */
  ended = false;
  /** The connection broke. */
  error: NodeJS.ErrnoException | null = null;
  private wake = (): void => {};

  private constructor(readonly socket: net.Socket) {
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.chunks.push(chunk);
      this.size += chunk.length;
      this.wake();
    });
    socket.on("end", () => {
      this.ended = true;
      this.wake();
    });
    socket.on("error", (error) => {
      this.error = error;
      this.wake();
    });
    socket.on("close", () => this.wake());
  }

  /** `silent`: never reads a byte until `resume` is called. */
  static connect(port: number, { silent = false, host = "127.0.0.1" } = {}): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ port, host, allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        const client = new Client(socket);
        if (silent) socket.pause();
        resolve(client);
      });
    });
  }

  // --- sending ---

  /** Strings are latin-1: a character is a byte. */
  send(data: string | Buffer): this {
    this.socket.write(typeof data === "string" ? Buffer.from(data, "latin1") : data);
    return this;
  }

  /**
   * Sends in pieces of `size` bytes, each handed to the kernel in a turn of its own; stops when the peer has answered
   * and ended.
   */
  async sendInPieces(data: string | Buffer, size = 1): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    for (let at = 0; at < bytes.length && !this.ended && !this.error; at += size) {
      this.socket.write(bytes.subarray(at, at + size));
      await nextTurn();
    }
  }

  /** See the function `flood`. */
  flood(block: Buffer, bytesMax: number, stallMs?: number): Promise<number> {
    return flood(this.socket, block, bytesMax, stallMs);
  }

  halfClose(): this {
    this.socket.end();
    return this;
  }

  /** Ends the connection with RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  close(): void {
    this.socket.destroy();
  }

  resume(): this {
    this.socket.resume();
    return this;
  }

  // --- reading ---

  /** What has come and has not been taken yet. */
  get receivedBytes(): number {
    return this.size;
  }

  async readBytes(count: number): Promise<Buffer> {
    await this.wait(() => this.size >= count, `${count} bytes`);
    return this.take(count);
  }

  /** Up to and with the delimiter. */
  async readUntil(delimiter: string): Promise<string> {
    let at = -1;
    await this.wait(() => (at = this.merged().indexOf(delimiter, 0, "latin1")) >= 0, JSON.stringify(delimiter));
    return this.take(at + delimiter.length).toString("latin1");
  }

  /** Everything up to the peer's orderly end; a reset is an error. */
  async readToEnd(): Promise<Buffer> {
    await this.wait(() => this.ended, "the end of the stream");
    return this.take(this.size);
  }

  /** Waits until the peer is gone, one way or the other. */
  async gone(): Promise<"ended" | "reset"> {
    if (!this.error) await this.wait(() => this.ended || this.error !== null, "the peer to leave");
    return this.error ? "reset" : "ended";
  }

  /** The next response, checked strictly; `method` is the request's, since a HEAD answer has no body. */
  async readResponse(method = "GET"): Promise<Response> {
    const response = parseHead(await this.readUntil("\r\n\r\n"));
    const bodiless = method === "HEAD" || response.status < 200 || response.status === 204 || response.status === 304;
    if (bodiless) return response;
    if (response.headers.get("transfer-encoding") === "chunked") {
      const chunks: Buffer[] = [];
      const { trailers } = response;
      for (let chunk = await this.readChunk(trailers); chunk.length; chunk = await this.readChunk(trailers))
        chunks.push(chunk);
      response.chunks = chunks;
      response.body = Buffer.concat(chunks);
    } else if (response.headers.has("content-length")) {
      response.body = await this.readBytes(Number(response.headers.get("content-length")));
    } else {
      response.body = await this.readToEnd();
    }
    return response;
  }

  /** One chunk of a body, by the letter of RFC 9112 7.1; an empty one ends it, and `trailers` get what follows. */
  private async readChunk(trailers: string[]): Promise<Buffer> {
    const line = await this.readUntil("\r\n");
    if (!/^(0|[1-9a-f][0-9a-f]*)\r\n$/i.test(line)) throw new Error(`not a chunk's size: ${JSON.stringify(line)}`);
    if (line === "0\r\n") {
      for (let next = await this.readUntil("\r\n"); next !== "\r\n"; next = await this.readUntil("\r\n"))
        trailers.push(next.slice(0, -2));
      return Buffer.alloc(0);
    }
    const chunk = await this.readBytes(parseInt(line, 16));
    const end = (await this.readBytes(2)).toString("latin1");
    if (end !== "\r\n") throw new Error(`a chunk ends with ${JSON.stringify(end)}`);
    return chunk;
  }

  /** Fails when anything at all is left or comes before the peer's orderly end. */
  async expectEnd(): Promise<void> {
    const rest = await this.readToEnd();
    if (rest.length) throw new Error(`nothing should follow, but there was ${preview(rest)}`);
  }

  private async wait(until: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    while (!until()) {
      const why = this.error?.code ?? (this.ended ? "the peer ended" : this.socket.destroyed ? "closed" : null);
      if (why) throw new Error(`waited for ${what}: ${why} after ${preview(this.merged())}`);
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`waited ${DEADLINE_MS} ms for ${what}: got ${preview(this.merged())}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  private merged(): Buffer {
    if (this.chunks.length !== 1) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0];
  }

  private take(count: number): Buffer {
    const bytes = this.merged();
    this.chunks = [bytes.subarray(count)];
    this.size = bytes.length - count;
    return bytes.subarray(0, count);
  }
}

/**
 * Sends blocks until the peer takes nothing for `stallMs`, or `bytesMax` are sent; returns how many bytes were taken.
 */
export async function flood(socket: Writable, block: Buffer, bytesMax: number, stallMs = 1000): Promise<number> {
  let written = 0;
  while (written < bytesMax) {
    const taken = new Promise<boolean>((resolve) => {
      const timer = setTimeout(resolve, stallMs, false);
      socket.write(block, (error) => {
        clearTimeout(timer);
        resolve(!error);
      });
    });
    if (!(await taken)) break;
    written += block.length;
  }
  return written;
}

function preview(bytes: Buffer): string {
  return `${bytes.length} bytes ${JSON.stringify(bytes.toString("latin1", 0, 300))}`;
}
