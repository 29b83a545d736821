/**
 * Programs that have a server of Node's listen by themselves, under a command that is to serve them: builds of Nuxt,
 * SvelteKit and Astro, and most programs with Express.
 *
 * Invariant: the first server that is to listen does not: it waits for `serve` or `release`.
 */
import { UsageError } from "../core/errors.js";
import { type Deferred, deferred } from "../core/promises.js";
import type { HTTPServer } from "../server/httpserver.js";
import { listenOptions } from "./listenoptions.js";
import { ReplacedServer, replaceServers } from "./replaced.js";
import type { NodeServer } from "./server.js";

/** A server that other code listens with, and where its program wants that. */
export interface ProgramServer {
  readonly server: HTTPServer;
  /** Undefined: the program does not say. */
  readonly port: number | undefined;
  /** Undefined: the program does not say, or means all interfaces by that. */
  readonly hostname: string | undefined;
  /** To be called when it listens. */
  readonly opened: () => void;
}

export class NodeProgram {
  #first: { readonly server: NodeServer; readonly given: unknown[] } | null = null;
  readonly #listens: Deferred<void> = deferred();
  readonly #restore: () => void;

  /** From now on servers of `node:http` are ours. */
  constructor() {
    const take = (server: NodeServer, given: unknown[]): boolean => {
      if (this.#first !== null) return false;
      this.#first = { server, given };
      this.#listens.resolve();
      return true;
    };
    class Server extends ReplacedServer {
      override listen(...given: unknown[]): this {
        return take(this, given) ? this : super.listen(...given);
      }
    }
    this.#restore = replaceServers(Server);
  }

  /** Whether one of its servers is to listen. */
  get listens(): boolean {
    return this.#first !== null;
  }

  /** Resolves when one is to listen, or when nothing is left that could make it so, or after `ms`. */
  async wait(ms: number): Promise<void> {
    const { promise, resolve } = this.#listens;
    const timer = setTimeout(resolve, ms);
    timer.unref();
    process.channel?.unref(); // of a child process: it would wait for its parent's messages
    process.once("beforeExit", resolve);
    await promise;
    process.off("beforeExit", resolve);
    process.channel?.ref();
    clearTimeout(timer);
  }

  /** The first of its servers, to be served by other code; `file` is the program. UsageError unless it has a port. */
  serve(file: string): ProgramServer | null {
    if (this.#first === null) return null;
    const { server, given } = this.#first;
    const options = listenOptions(given);
    if (options.path !== undefined) throw new UsageError(`${file} listens on ${options.path}, which is no port`);
    const callback = given.find((each) => typeof each === "function") as (() => void) | undefined;
    if (callback !== undefined) server.once("listening", callback);
    const { promise, resolve } = deferred();
    const hostname = options.host === "localhost" ? undefined : options.host || undefined;
    const port = options.port === undefined ? undefined : Number(options.port);
    return { server: server.lend(promise), port, hostname, opened: resolve };
  }

  /** The program is served by what it exports: its servers listen by themselves, and further ones are Node's. */
  release(): void {
    this.#restore();
    this.#first?.server.listen(...this.#first.given);
  }
}
