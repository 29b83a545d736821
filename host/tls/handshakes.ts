/**
 * TLS handshakes of a listener: accepted connections go in, those that have agreed come out.
 *
 * Invariants: how many there may be is bounded (tls/admission.ts), and so is the time of each, from the moment that its
 * connection was accepted. A peer that sends nonsense costs its own connection alone.
 */
import type { TLSSocket } from "node:tls";
import type { Accepted } from "../core/address.js";
import { TimeoutError } from "../core/errors.js";
import { HANDSHAKE_GRACE_MS } from "../core/limits.js";
import { Places } from "./admission.js";
import type { TLSContexts } from "./contexts.js";
import { ServerHandshake, TLSServer } from "./server.js";

/** Takes a connection that speaks TLS now. Its handshake counts as under way until `release` is called, once. */
export type TakeSecured = (accepted: Accepted & { readonly socket: TLSSocket }, release: () => void) => void;

export class Handshakes {
  readonly #server: TLSServer;
  readonly #timeoutMs: number;
  readonly #take: TakeSecured;
  readonly #places = new Places();
  /** Those that have not agreed yet. */
  readonly #underWay = new Set<ServerHandshake>();
  /** Those, and those that have and were not released. */
  #count = 0;
  #changed = (): void => {};

  constructor(contexts: TLSContexts, scheme: "http" | "tcp", take: TakeSecured) {
    this.#server = new TLSServer(contexts, scheme);
    this.#timeoutMs = contexts.handshakeTimeoutMs;
    this.#take = take;
  }

  /** Takes an accepted connection of which nothing has been read. */
  begin({ socket: connection, address }: Accepted): void {
    this.#count++;
    const handshake = new ServerHandshake(connection, address, this.#server, this.#places, (result, release) => {
      clearTimeout(timer);
      this.#underWay.delete(handshake);
      if (result instanceof Error) return this.#end();
      let released = false;
      this.#take({ socket: result, address }, () => {
        if (!released) this.#end();
        released = true;
        release();
      });
    });
    this.#underWay.add(handshake);
    const timer = setTimeout(
      () => handshake.fail(new TimeoutError("the TLS handshake took too long")),
      this.#timeoutMs,
    );
  }

  /**
   * No more come: lets those that are under way come to their end, for HANDSHAKE_GRACE_MS at most, and closes the
   * others.
   */
  async finish(): Promise<void> {
    if (this.#count > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, HANDSHAKE_GRACE_MS);
        this.#changed = () => {
          if (this.#count > 0) return;
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.close();
  }

  /** Closes everything that has not agreed yet. */
  close(): void {
    this.#server.close();
    for (const handshake of this.#underWay) handshake.fail(new Error("the server has been stopped"));
  }

  #end(): void {
    this.#count--;
    this.#changed();
  }
}
