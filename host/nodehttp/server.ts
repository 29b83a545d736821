/**
 * Handlers of Node's kind: `createServer((req, res) => …)`, on which Express, Fastify and such run.
 *
 * Invariants: `req` and `res` are Node's own classes; a client that leaves ends both. What is not as with Node's server
 * is in docs/node-handlers.md.
 */
import { EventEmitter } from "node:events";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type Accepted, LOOPBACK } from "../core/address.js";
import { BACKLOG, HEADER_TIMEOUT_MS, IDLE_TIMEOUT_MS } from "../core/limits.js";
import type { RuntimeName } from "../core/runtimename.js";
import type { HTTPServerRequest } from "../http/request.js";
import { type GivenConnections, givenConnections } from "../net/givensockets.js";
import { bindUnixSocket } from "../net/unixsocket.js";
import { IncomingMessage, METHODS, ServerResponse, STATUS_CODES } from "../nodeinternals/httpclasses.js";
import { detach } from "../server/detach.js";
import { HTTPServer, type RequestListener } from "../server/httpserver.js";
import type { ServerOptions } from "../server/options.js";
import type { IOStream } from "../stream/iostream.js";
import type { StreamSettings } from "../stream/settings.js";
import { accept, isCarried } from "./carriedsocket.js";
import { type ErrorClient, emitClientError, headText } from "./clienterror.js";
import { type NodeListener, runListener } from "./listener.js";
import { checkPort, listenOptions, type NodeListenOptions, notSo } from "./listenoptions.js";
import {
  checkLimit,
  headLimit,
  limitOption,
  type MessageOptions,
  messageOptions,
  type NodeServerOptions,
  nodeLimit,
  requestLimits,
  serverOptions,
} from "./options.js";
import { AnsweredSocket, invalidMethod, parseError } from "./parseerror.js";
import { type MessageClasses, RequestSocket } from "./socket.js";
import { type ShouldUpgrade, takeUpgrade } from "./upgrades.js";

const METHOD_OTHER = 0;
const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

/**
 * A server that calls `listener` as Node's would. `options` are those of any server here; they may come first, as with
 * Node, or last. Throws OptionError.
 */
export function createServer(listener?: NodeListener, options?: NodeServerOptions): NodeServer;
export function createServer(options: NodeServerOptions, listener?: NodeListener): NodeServer;
export function createServer(
  first?: NodeListener | NodeServerOptions,
  second?: NodeListener | NodeServerOptions,
): NodeServer {
  const [listener, options] = typeof first === "object" ? [second, first] : [first, second];
  const server = new NodeServer((options ?? {}) as NodeServerOptions);
  if (typeof listener === "function") server.on("request", listener);
  return server;
}

/**
 * With the events `request`, `checkContinue`, `checkExpectation`, `clientError`, `drop`, `dropRequest`, `upgrade`,
 * `connect`, `listening`, `error` and `close` of Node's server.
 */
export class NodeServer extends EventEmitter {
  /**
   * Milliseconds without a byte read or written after which a connection with a request gets `timeout`; default 0:
   * none.
   */
  timeout = 0;
  /** How many header fields of a request its `headers` have, those beyond are dropped; default null, as 0: all. */
  maxHeadersCount: number | null = null;
  /**
   * With so many connections open a new one is closed, and `drop` has its addresses. Counted are those that have come
   * since this was set, with the runtime `node`; with others it is without effect. Default undefined: any number.
   */
  maxConnections: number | undefined;
  /** Whether connections are accepted. */
  listening = false;
  /** @internal */
  readonly shouldUpgrade: ShouldUpgrade | null;
  /** @internal */
  readonly classes: MessageClasses;
  /** @internal */
  readonly messageOptions: MessageOptions;
  /** @internal */
  readonly uniqueHeaders: ReadonlySet<string> | null;
  readonly #hostless: boolean;
  readonly #options: ServerOptions;
  readonly #runtime: RuntimeName;
  #server: HTTPServer;
  #address: AddressInfo | string | null = null;
  /** The Unix-domain socket as `listen` was given it. */
  #path = "";
  #opening: Promise<void> | null = null;
  /** `close` of what has listened is still to come. */
  #isStopping = false;
  /** `close` has been called: what listens next is another server. */
  #closed = false;
  /** The sandbox has its limits. */
  #isLimited = false;
  #headersTimeout: number;
  readonly #limits: ReturnType<typeof requestLimits>;
  /** Of requests that have no whole answer yet, and whose client has ended its side. */
  readonly #halfClosed = new Set<RequestSocket>();
  /** What serves streams of `emit("connection", stream)`, and where they come from, since there was one. */
  #carrier: HTTPServer | null = null;
  #given: GivenConnections | null = null;
  /** Open connections that were counted for `maxConnections`. */
  #counted = 0;
  /** Of connections that this process holds. */
  readonly #sockets = new Set<RequestSocket>();

  /** @internal */
  constructor(options: NodeServerOptions) {
    super();
    this.#options = serverOptions(options);
    this.#headersTimeout = nodeLimit(this.#options.headerTimeoutMs ?? HEADER_TIMEOUT_MS);
    this.shouldUpgrade = options.shouldUpgradeCallback ?? null;
    this.classes = {
      IncomingMessage: options.IncomingMessage ?? IncomingMessage,
      ServerResponse: options.ServerResponse ?? ServerResponse,
    };
    this.messageOptions = messageOptions(options);
    const unique = options.uniqueHeaders?.map((name) => name.toLowerCase());
    this.uniqueHeaders = unique === undefined ? null : new Set(unique);
    this.#hostless = options.requireHostHeader === false;
    this.#limits = requestLimits(options);
    this.#server = this.#newServer();
    this.#runtime = this.#server.options.runtime;
    this.on("connection", (stream: Duplex) => {
      if (!(stream instanceof RequestSocket)) this.#carry(stream);
    });
    if (options.requestTimeout !== undefined) this.requestTimeout = options.requestTimeout; // for heads
  }

  /** @internal */
  get streamSettings(): StreamSettings {
    return this.#server.options;
  }

  /** @internal Node's name of what listens; supertest closes no server without one. */
  get _handle(): object | null {
    return this.listening ? this.#server : null;
  }

  #newServer(options: ServerOptions = this.#options): HTTPServer {
    const emit: NodeListener = (message, response) => this.dispatch(message, response);
    const drop: NodeListener = (message, response) => {
      this.emit("dropRequest", message, message.socket);
      response.writeHead(503).end();
    };
    const handle: RequestListener["handle"] = (request, logger) => {
      if (request.methodNumber === METHOD_OTHER && !KNOWN_METHODS.has(request.method))
        return this.#refuseMethod(request);
      if (takeUpgrade(request, this, this.#server.options)) return;
      const needsHost = !this.#hostless && request.version === "HTTP/1.1";
      if (needsHost && !request.hasField("host")) return request.respond(400, { Connection: "close" });
      try {
        return runListener(request, logger, request.isExcess ? drop : emit, this);
      } catch (error) {
        this.listenerThrew(error);
      }
    };
    const refused: RequestListener["refused"] = (refusal, address) => {
      const error = this.listenerCount("clientError") > 0 ? parseError(refusal) : null;
      // In a turn of its own: what a listener throws is the program's, and not the sandbox's fault.
      if (error !== null) process.nextTick(() => this.emit("clientError", error, new AnsweredSocket(address)));
    };
    const refusedOpen: RequestListener["refusedOpen"] = (refusal, peer, stream, ahead) => {
      const error = this.listenerCount("clientError") > 0 ? parseError(refusal) : null;
      if (error !== null) this.#clientError(error, stream, { address: peer?.address ?? null, ahead });
      return error !== null;
    };
    const connected: RequestListener["connected"] = (accepted) => {
      if (this.maxConnections !== undefined && !this.#count(accepted, this.maxConnections)) return;
      const isHeard = this.listenerCount("connection") > 1 && !isCarried(accepted);
      if (this.timeout === 0 && !isHeard) return;
      const socket = RequestSocket.ofConnection(accepted, this);
      if (this.timeout > 0) socket.setTimeout(this.timeout);
      if (isHeard) this.emit("connection", socket);
    };
    const acceptance = { connects: true, asNode: true, limits: this.#limits };
    return new HTTPServer({ handle, ...acceptance, connected, refused, refusedOpen }, options);
  }

  /** One that serves in this process what a runtime of other processes cannot be given. */
  #serverHere(): HTTPServer {
    const { workers, inspect, ...options } = this.#options;
    return this.#newServer({ ...options, runtime: "node" });
  }

  /** Counts a connection, unless there are `connectionsMax`: then it is closed. */
  #count({ socket }: Accepted, connectionsMax: number): boolean {
    if (this.#counted < connectionsMax) {
      this.#counted++;
      socket.once("close", () => this.#counted--);
      return true;
    }
    const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = socket;
    socket.destroy();
    this.emit("drop", { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily });
    return false;
  }

  /** @internal The event of a request, by what it expects. */
  dispatch(message: IncomingMessage, response: ServerResponse): void {
    const { rawHeaders } = message;
    let expects = false;
    for (let at = 0; at < rawHeaders.length; at += 2)
      if (rawHeaders[at]?.length === 6 && rawHeaders[at]?.toLowerCase() === "expect") expects = true;
    const event =
      expects && message.httpVersion === "1.1" ? this.#expecting(message.headers.expect as string) : "request";
    if (event !== null) this.emit(event, message, response);
    else response.writeHead(417).end();
  }

  /** The event of a request that expects something; null: there is no listener for it. */
  #expecting(expect: string): string | null {
    if (isContinue(expect)) return this.listenerCount("checkContinue") > 0 ? "checkContinue" : "request";
    return this.listenerCount("checkExpectation") > 0 ? "checkExpectation" : null;
  }

  /** Node's parser knows no others than `http.METHODS`. */
  #refuseMethod(request: HTTPServerRequest): void {
    const address = request.peer?.address ?? null;
    const error = invalidMethod();
    if (this.listenerCount("clientError") > 0 && request.contentLength === 0)
      return detach(request, this.#server.options, (stream, _ahead, answered) =>
        this.#clientError(error, stream, { address, head: headText(request), answered }),
      );
    request.respond(400, { Connection: "close", Date: "" });
    process.nextTick(() => this.emit("clientError", error, new AnsweredSocket(address)));
  }

  #clientError(error: Error, stream: IOStream, client: ErrorClient): void {
    emitClientError(this, error, stream, client, this.#server.options.headerTimeoutMs);
  }

  /**
   * Milliseconds between two requests of a connection, `idleTimeoutMs` of the options; 0: no limit. As the other limits
   * it is for what listens next: set in the turn of `listen` or before it. Later is too late, which the log says.
   */
  get keepAliveTimeout(): number {
    return nodeLimit(this.#options.idleTimeoutMs ?? IDLE_TIMEOUT_MS);
  }

  set keepAliveTimeout(ms: number) {
    this.#limit("keepAliveTimeout", ms);
  }

  /** Milliseconds for a request's whole head, `headerTimeoutMs` of the options; 0: no limit. */
  get headersTimeout(): number {
    return this.#headersTimeout;
  }

  set headersTimeout(ms: number) {
    checkLimit("headersTimeout", ms);
    this.#headersTimeout = ms;
    this.#limit("headersTimeout", headLimit(ms, this.#limits.requestTimeoutMs));
  }

  /**
   * Requests of one connection, `requestsMax` of the options; the last answer says `Connection: close`, and one more
   * request gets `dropRequest`, 503 and the end. Default 0: 1,000,000.
   */
  get maxRequestsPerSocket(): number | null {
    return nodeLimit(this.#options.requestsMax ?? 0);
  }

  set maxRequestsPerSocket(count: number | null) {
    this.#limit("maxRequestsPerSocket", count);
  }

  /**
   * Milliseconds for a request's head and body together: 408, and the connection ends. Default 300,000; 0: only what
   * limits heads and slow bodies anyway.
   */
  get requestTimeout(): number {
    return this.#limits.requestTimeoutMs;
  }

  set requestTimeout(ms: number) {
    checkLimit("requestTimeout", ms);
    this.#limits.requestTimeoutMs = ms;
    this.#limit("headersTimeout", headLimit(this.#headersTimeout, ms), "requestTimeout");
  }

  /** Milliseconds that a connection waits longer for another request than its answers say. Default 1,000. */
  get keepAliveTimeoutBuffer(): number {
    return this.#limits.idleBufferMs;
  }

  set keepAliveTimeoutBuffer(ms: number) {
    checkLimit("keepAliveTimeoutBuffer", ms);
    this.#limits.idleBufferMs = ms;
  }

  #limit(
    name: "keepAliveTimeout" | "headersTimeout" | "maxRequestsPerSocket",
    value: number | null,
    what: string = name,
  ): void {
    const option = limitOption(name, value);
    Object.assign(this.#options, option);
    if (!this.#isLimited) this.#server.configure(option);
    else this.#warn(`${what} was set when the server listened already: it holds when it listens again`);
  }

  /** What was closed is followed by another server, and so is one of another runtime. */
  #renew(runtime: RuntimeName): void {
    if (this.#closed || this.#server.options.runtime !== runtime) {
      this.#server = runtime === this.#runtime ? this.#newServer() : this.#serverHere();
    }
    if (this.#closed) this.#carrier = null;
    this.#closed = false;
  }

  #warn(line: string): void {
    this.#server.options.logger.warn(line);
  }

  /**
   * Listens: `listen(port, host, callback)`, `listen(path, callback)` or `listen({ port, host }, callback)`; `callback`
   * is called at `listening`. Failures are `error` events. `address()` says at once where, unless `host` is a
   * name, or all interfaces and `ipv6Only` is true. May be called again after `close`.
   */
  listen(...given: unknown[]): this {
    const callback = given.find((each) => typeof each === "function") as (() => void) | undefined;
    const options = listenOptions(given);
    if (options.path === undefined) checkPort(options.port ?? 0);
    if (this.#opening !== null) throw notSo("ERR_SERVER_ALREADY_LISTEN", "listen has been called before");
    if (callback !== undefined) this.once("listening", callback);
    this.#renew(options.path === undefined ? this.#runtime : "node");
    const server = this.#server;
    queueMicrotask(() => {
      this.#isLimited = this.#opening !== null;
    });
    const opening = options.path === undefined ? this.#listenOn(options) : this.#listenAt(options.path, options);
    this.#opening = opening;
    this.listening = this.#address !== null;
    opening.then(
      () => this.#opened(server),
      (error) => this.#failed(server, error),
    );
    return this;
  }

  /** @internal Has other code listen, with the server that this returns; `opened`: it does. */
  lend(opened: Promise<void>): HTTPServer {
    const server = this.#server;
    this.#opening = opened;
    void opened.then(() => {
      this.#isLimited = true;
      this.#opened(server);
    });
    return server;
  }

  #listenOn({ port, host, backlog = BACKLOG, ipv6Only = true }: NodeListenOptions): Promise<void> {
    const name = host === undefined || host === "localhost" ? LOOPBACK : host;
    try {
      const { address, done } = this.#server.listenNow(Number(port ?? 0), name, { backlog, ipv6Only });
      this.#address = address;
      return done;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #listenAt(
    path: string,
    { backlog, readableAll = false, writableAll = false }: NodeListenOptions,
  ): Promise<void> {
    const server = this.#server;
    this.#path = path;
    const mode = readableAll || writableAll ? 0o666 : 0o600;
    const socket = await bindUnixSocket(path, { mode, runtime: "node", ...(backlog === undefined ? {} : { backlog }) });
    await server.addSockets([socket]);
  }

  #opened(server: HTTPServer): void {
    if (server !== this.#server || this.#opening === null) return; // closed meanwhile
    const address = server.addresses.find((each) => each.address !== ""); // which nothing listens on
    if (address !== undefined) this.#address = address.family === "unix" ? this.#path : { ...address };
    this.listening = true;
    process.nextTick(() => this.emit("listening"));
  }

  /** Outside of the promise: an `error` without a listener ends the program, as with Node's. */
  #failed(server: HTTPServer, error: Error): void {
    if (server === this.#server) this.#forget();
    process.nextTick(() => this.emit("error", error));
  }

  #forget(): void {
    this.#opening = null;
    this.#address = null;
    this.listening = false;
    this.#isLimited = false;
  }

  /** Where it listens: the path of a Unix-domain socket; null before and after. */
  address(): AddressInfo | string | null {
    return typeof this.#address === "object" && this.#address !== null ? { ...this.#address } : this.#address;
  }

  /**
   * Accepts no more, lets what is in flight finish within 10 seconds and ends; then `close` comes and `callback` is
   * called, with an error when the server did not listen. A request whose client has ended its side is not waited for.
   */
  close(callback?: (error?: Error) => void): this {
    if (this.#opening === null) {
      if (this.#given !== null) void this.#stop();
      if (callback !== undefined) this.once("close", () => callback(notRunning()));
      if (!this.#isStopping) process.nextTick(() => this.emit("close"));
      return this;
    }
    let error: Error | undefined; // it could not listen
    if (callback !== undefined) this.once("close", () => callback(error));
    this.closeIdleConnections();
    this.#isStopping = true;
    const stopped = (): void => process.nextTick(() => this.#stopped());
    this.#stop(this.#opening).then(stopped, () => {
      error = notRunning();
      stopped();
    });
    return this;
  }

  #stopped(): void {
    this.#isStopping = false;
    this.emit("close");
  }

  #stop(opening: Promise<void> = Promise.resolve()): Promise<void> {
    const servers = this.#servers;
    this.#closed = true;
    this.#given = null;
    this.#forget();
    for (const socket of this.#halfClosed) socket.endUnanswered();
    return opening.then(async () => void (await Promise.all(servers.map((server) => server.stop()))));
  }

  /** What listens, and what serves given streams; one of both kinds is there once. */
  get #servers(): HTTPServer[] {
    return [...new Set([this.#server, this.#carrier ?? this.#server])];
  }

  /** Serves a stream that the program has given by `emit("connection", stream)`. */
  #carry(stream: Duplex): void {
    if (this.#given === null) {
      if (this.#closed) this.#renew(this.#runtime);
      this.#carrier = this.#server.options.runtime === "node" ? this.#server : this.#serverHere();
      this.#given = givenConnections();
      this.#carrier.addSockets([this.#given]).catch((error) => this.emit("error", error));
    }
    this.#given.give(accept(stream));
  }

  /** @internal A listener has thrown: its request is answered with 500, and the log has a line. */
  listenerThrew(error: unknown): void {
    throw error;
  }

  /** @internal */
  clientEnded(socket: RequestSocket): void {
    if (this.#closed) socket.endUnanswered();
    else this.#halfClosed.add(socket);
  }

  /** @internal */
  settled(socket: RequestSocket): void {
    this.#halfClosed.delete(socket);
  }

  /** @internal */
  opened(socket: RequestSocket): void {
    this.#sockets.add(socket);
  }

  /** @internal */
  closed(socket: RequestSocket): void {
    this.#sockets.delete(socket);
  }

  /** Closes all connections, also those with something in flight. */
  closeAllConnections(): void {
    for (const server of this.#servers) void server.closeAllConnections();
  }

  /** Ends connections that wait for another request, where this process holds them; `close` ends all of them. */
  closeIdleConnections(): void {
    for (const socket of this.#sockets) if (socket.isIdle) socket.destroy();
  }

  /**
   * A listener has rejected, and `events.captureRejections` is on: as with Node, 500 where nothing has been sent, else
   * the connection is cut.
   */
  override [EventEmitter.captureRejectionSymbol](error: Error, event: string | symbol, ...given: unknown[]): void {
    const response = given[1];
    const isRequest = event === "request" && response instanceof ServerResponse;
    if (!isRequest) this.emit("error", error);
    else if (response.headersSent || response.writableEnded) response.destroy();
    else {
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      response.statusCode = 500;
      response.end(STATUS_CODES[500]);
    }
  }

  /** Sets `timeout`, and has `callback` called with the socket; without a listener such a connection is cut. */
  setTimeout(ms: number, callback?: (socket: unknown) => void): this {
    this.timeout = ms;
    if (callback !== undefined) this.on("timeout", callback);
    return this;
  }

  /** Calls `callback` with the number of open connections. */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    Promise.all(this.#servers.map((server) => server.stats())).then(
      (all) =>
        process.nextTick(
          callback,
          null,
          all.reduce((sum, { connectionsNow }) => sum + connectionsNow, 0),
        ),
      (error) => process.nextTick(callback, error, 0),
    );
    return this;
  }

  /** Closes the server; resolves when it is closed. */
  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.close(() => resolve()));
  }

  /** Without effect: a program ends when its servers are closed. */
  ref(): this {
    return this;
  }

  /** Without effect. */
  unref(): this {
    return this;
  }
}

/**
 * How `listener` answers requests of a server that is not of Node's kind. What it is given belongs to a NodeServer, for
 * agents that wrap its `emit`.
 */
export function handleOf(listener: NodeListener): RequestListener["handle"] {
  const server = new NodeServer({});
  let result: void | Promise<void>;
  server.on("request", (message, response) => {
    result = listener(message, response);
  });
  const emit: NodeListener = (message, response) => {
    result = undefined;
    server.dispatch(message, response);
    return result;
  };
  return (request, logger) => runListener(request, logger, emit, server);
}

function isContinue(expect: string | undefined): boolean {
  return expect?.toLowerCase() === "100-continue";
}

function notRunning(): Error {
  return notSo("ERR_SERVER_NOT_RUNNING", "Server is not running.");
}
