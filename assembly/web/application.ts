// Application: routes, and what a server calls with each request.
//
//   const application = new Application();
//   application.route<Main>("/");
//   application.route<User>("/users/:id", "user");
//   new HTTPServer(application).listen();
//
// Invariants: the first route that matches answers; a request that has no route, or whose method its handler does not
// have, is answered when its head has come, before any of its body is kept; a connection has one handler at most.
// Reference: Tornado's web.py (Application).

import { pathOffset, pathSize } from "../protocol/http/headstate";
import { LoggingHTTPHandler } from "../http/log";
import { HTTPServerRequest, Method } from "../http/request";
import { HandlerOwner } from "./handlerowner";
import { Pattern } from "./pattern";
import { NO_ROUTE, RequestHandler } from "./requesthandler";

/** A pattern and the class that answers what it matches. */
export abstract class Route {
  readonly pattern: Pattern;
  /** Bits of Method. */
  protected mask: i32 = -1;

  constructor(
    pattern: string,
    readonly name: string,
  ) {
    this.pattern = new Pattern(pattern);
  }

  abstract make(): RequestHandler;
  /** The methods that the class has, as bits of Method. */
  abstract methods(): i32;
}

class ClassRoute<T extends RequestHandler> extends Route {
  make(): RequestHandler {
    return instantiate<T>();
  }

  /** Which methods are the class's own, and not RequestHandler's: their functions are others. */
  methods(): i32 {
    if (this.mask >= 0) return this.mask;
    const own = instantiate<T>();
    const base: RequestHandler = own;
    let mask = 0;
    if (changetype<usize>(own.get) != changetype<usize>(base.get)) mask |= (1 << Method.GET) | (1 << Method.HEAD);
    if (changetype<usize>(own.head) != changetype<usize>(base.head)) mask |= 1 << Method.HEAD;
    if (changetype<usize>(own.post) != changetype<usize>(base.post)) mask |= 1 << Method.POST;
    if (changetype<usize>(own.put) != changetype<usize>(base.put)) mask |= 1 << Method.PUT;
    if (changetype<usize>(own.delete) != changetype<usize>(base.delete)) mask |= 1 << Method.DELETE;
    if (changetype<usize>(own.patch) != changetype<usize>(base.patch)) mask |= 1 << Method.PATCH;
    if (changetype<usize>(own.options) != changetype<usize>(base.options)) mask |= 1 << Method.OPTIONS;
    return (this.mask = mask);
  }
}

/** What an empty path stands for (RFC 9110 4.2.3). */
const SLASH: usize = memory.data<u8>([0x2f]);

/** Answers what no route is for. */
class NotFound extends RequestHandler {
  prepare(): void {
    this.sendError(404);
  }
}

/** Routes, and the handler that a server calls with each request: Tornado's Application. */
export class Application extends LoggingHTTPHandler implements HandlerOwner {
  private routes: Route[] = [];
  /** By the connection's slot: the handler of its request. */
  private handlers: Array<RequestHandler | null> = [];
  private found: i32[] = [];

  /**
   * Adds a route: a class whose constructor takes nothing, for what `pattern` matches. The name leads back: reverseUrl.
   */
  route<T extends RequestHandler>(pattern: string, name: string = ""): void {
    this.routes.push(new ClassRoute<T>(pattern, name));
  }

  /** The path of the route with this name; "" without one, or with another number of values than it has groups. */
  reverseUrl(name: string, values: string[] = []): string {
    for (let i = 0; i < this.routes.length; i++) {
      if (this.routes[i].name != name) continue;
      const path = this.routes[i].pattern.reverse(values);
      return path === null ? "" : path;
    }
    return "";
  }

  /** Answers what no route is for. Override it for a page of your own. */
  makeDefault(): RequestHandler {
    return new NotFound();
  }

  headersReceived(request: HTTPServerRequest): void {
    const size = pathSize(request.head);
    const path = size ? request.source + usize(pathOffset(request.head)) : SLASH;
    const route = this.find(path, max(size, 1));
    const handler = route ? route.make() : this.makeDefault();
    while (this.handlers.length <= request.slot) this.handlers.push(null);
    this.handlers[request.slot] = handler;
    handler.begin(this, request, route ? route.methods() : NO_ROUTE);
    if (!route) return handler.execute();
    const values = route.pattern.values(path, this.found);
    if (values === null) return handler.sendError(400);
    handler.pathNames = route.pattern.names;
    handler.pathArguments = values;
    if (handler.acceptsMethod() && request.contentLength != 0) handler.awaitBody();
  }

  finish(request: HTTPServerRequest): void {
    const handler = this.handlers[request.slot];
    if (handler) handler.execute();
  }

  onSent(request: HTTPServerRequest): void {
    const handler = this.handlers[request.slot];
    if (handler) handler.onSent();
  }

  onEnd(request: HTTPServerRequest): void {
    const handler = this.handlers[request.slot];
    if (handler) handler.clientEnded();
  }

  onConnectionClose(request: HTTPServerRequest, reason: i32): void {
    const handler = request.slot < this.handlers.length ? this.handlers[request.slot] : null;
    if (handler) handler.lose();
  }

  /** The answer on this connection is complete. */
  over(slot: i32): void {
    this.handlers[slot] = null;
  }

  private find(path: usize, size: i32): Route | null {
    const routes = this.routes;
    for (let i = 0; i < routes.length; i++) if (routes[i].pattern.match(path, size, this.found)) return routes[i];
    return null;
  }
}
