/**
 * A stream that a program gives to a server by `server.emit("connection", stream)`, as a socket that can be served.
 *
 * Invariant: no more is read than is taken, and a write is done when the stream has it, so back-pressure works both
 * ways. An end, an error and a close of one of the two are the other's, too.
 */
import { Duplex } from "node:stream";
import type { Accepted, Address } from "../core/address.js";
import { familyOf } from "../core/address.js";

type Callback = (error?: Error | null) => void;
type SocketLike = Duplex & { remoteAddress?: string; remotePort?: number; encrypted?: boolean };

/** Where a stream comes from that says nothing of it. */
const NOWHERE: Address = { address: "", port: 0, family: "unix" };

/** `stream` as an accepted connection. */
export function accept(stream: Duplex): Accepted {
  const { remoteAddress, remotePort = 0 } = stream as SocketLike;
  const address =
    remoteAddress === undefined
      ? NOWHERE
      : { address: remoteAddress, port: remotePort, family: familyOf(remoteAddress) };
  return { socket: new CarriedSocket(stream) as unknown as Accepted["socket"], address };
}

/** Whether a program has given it to the server by `connection`. */
export function isCarried({ socket }: Accepted): boolean {
  return (socket as Duplex) instanceof CarriedSocket;
}

class CarriedSocket extends Duplex {
  readonly encrypted: boolean;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    this.encrypted = (stream as SocketLike).encrypted === true;
    stream.on("data", (chunk: Buffer) => {
      this.bytesRead += chunk.length;
      if (!this.push(chunk)) stream.pause();
    });
    stream.on("end", () => this.push(null));
    stream.on("error", (error) => this.destroy(error));
    stream.on("close", () => this.destroy());
    this.pause();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: string, callback: Callback): void {
    this.bytesWritten += chunk.length;
    this.#stream.write(chunk, callback);
  }

  override _final(callback: Callback): void {
    this.#stream.end(() => callback());
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#stream.destroy();
    callback(error);
  }

  // --- what a connection has beside a Duplex ---

  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.end(() => this.destroy());
  }

  setNoDelay(): this {
    return this;
  }
}
