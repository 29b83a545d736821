// TCPServer: accepts connections and hands each to handleStream as an IOStream.
// Invariants: accepted streams that are not closed stand in one list, and each knows its place in it; at connectionsMax
// accepting pauses; a drain loses no connection that waited in the queue.
// Reference: Tornado's tcpserver.py.

import { Address } from "../core/address";
import { REASON_STOPPING } from "../core/errors";
import { Callback, IOLoop, Timeout } from "../loop/ioloop";
import { Connection, StreamOwner } from "../stream/connection";
import { IOStream, StreamHandler } from "../stream/iostream";
import { CONNECTIONS_MAX, DRAIN_REQUEST_MS } from "../core/limits";
import { AcceptHandler, Acceptor, addAcceptHandler, bindSockets } from "./acceptor";
import { ProxiedStreams, ProxyHandler } from "./proxyhandler";
import { CONNECTIONS_EVER, CONNECTIONS_NOW, count } from "../core/stats";
import * as wasi from "../wasi/index";

/** What the platform says of a new connection. */
const peerAddress: Address = new Address();

/** Holds a new stream until handleStream has set its own handler. */
@final
class NoHandler extends StreamHandler {}
const noHandler: NoHandler = new NoHandler();


@final
class Accepting extends AcceptHandler {
  constructor(private server: TCPServer) {
    super();
  }
  onAccept(handle: i32, listener: i32): void {
    this.server.accepted(handle, listener);
  }
}


@final
class Proxied extends ProxiedStreams {
  constructor(private server: TCPServer) {
    super();
  }
  proxied(stream: IOStream): void {
    this.server.handleStream(stream, stream.address);
  }
}


@final
class Listening extends Callback {
  constructor(private server: TCPServer) {
    super();
  }
  run(): void {
    this.server.startListening();
  }
}

/** The grace of a drain is over. */
@final
class Deadline extends Timeout {
  constructor(private server: TCPServer) {
    super();
  }
  run(): void {
    this.server.stop();
    this.server.closeAllConnections();
  }
}

/** A server of connections: subclass it and write handleStream. Tornado's TCPServer. */
export abstract class TCPServer implements StreamOwner {
  /** Open connections at most; further ones wait in the queue of the kernel. Default CONNECTIONS_MAX. */
  connectionsMax: i32 = CONNECTIONS_MAX;
  /** Those of this module: see draining.ts. */
  static readonly listening: Array<TCPServer> = [];
  private open: Array<IOStream> = [];
  private acceptors: Array<Acceptor> = [];
  private proxyHandler: ProxyHandler | null = null;
  private full: bool = false;
  private stopped: bool = false;

  /** Open connections now. */
  get connections(): i32 {
    return this.open.length;
  }

  /** It still listens on a socket. */
  get accepting(): bool {
    for (let i = 0; i < this.acceptors.length; i++) if (this.acceptors[i].open) return true;
    return false;
  }

  /**
   * A connection: set the stream's handler with stream.setHandler and begin to read. `address` is null where it is
   * unknown.
   */
  abstract handleStream(stream: IOStream, address: Address | null): void;

  /** Accepts on all sockets that the host handed over, from the loop's next turn on. */
  listen(): void {
    this.stopped = false;
    TCPServer.listening.push(this);
    IOLoop.current().addCallback(new Listening(this));
  }

  /** For listen(): the loop runs. A server that has been stopped by then closes its sockets at once. */
  startListening(): void {
    this.addSockets(bindSockets());
    if (this.stopped) this.stop();
  }

  /** Accepts on these sockets. */
  addSockets(sockets: Array<i32>): void {
    for (let i = 0; i < sockets.length; i++) {
      this.acceptors.push(addAcceptHandler(sockets[i], this.acceptors.length, new Accepting(this)));
    }
  }

  /**
   * Every connection begins with a PROXY protocol header, version 1 or 2, and its address is what that says. For
   * servers that only a trusted proxy can reach: any other client could claim any address.
   */
  useProxyProtocol(): void {
    this.proxyHandler = new ProxyHandler(new Proxied(this));
  }

  /** Stops listening; open connections go on. Safe to call twice. */
  stop(): void {
    this.stopped = true;
    for (let i = 0; i < this.acceptors.length; i++) this.acceptors[i].close();
    this.acceptors.length = 0;
  }

  /**
   * Stops listening once the connections that wait in the queue have been accepted, and closes what is still open after
   * `graceMs`. `requestMs` is for servers of requests: how long an idle connection may still bring one.
   */
  drain(graceMs: i32, requestMs: i32 = DRAIN_REQUEST_MS): void {
    this.stopped = true;
    for (let i = 0; i < this.acceptors.length; i++) this.acceptors[i].finish();
    IOLoop.current().callLater(graceMs, new Deadline(this));
  }

  /** Closes every connection; what waits to be sent is dropped. The server goes on accepting unless it was stopped. */
  closeAllConnections(): void {
    for (let i = 0; i < this.open.length; i++) unchecked(this.open[i]).close(REASON_STOPPING);
  }

  /** For the acceptors. */
  accepted(handle: i32, listener: i32): void {
    const stream = IOStream.open(handle, noHandler);
    const connection = stream.connection;
    connection.owner = this;
    connection.listener = listener;
    connection.place = this.open.push(stream) - 1;
    count(CONNECTIONS_EVER);
    count(CONNECTIONS_NOW);
    if (this.connections >= this.connectionsMax) {
      this.full = true;
      for (let i = 0; i < this.acceptors.length; i++) this.acceptors[i].pause();
    }
    if (this.proxyHandler) this.proxyHandler!.start(stream);
    else {
      if (wasi.peer(handle, peerAddress)) connection.setAddress(peerAddress);
      this.handleStream(stream, stream.address);
    }
  }

  /** For its connections: `connection` has closed. */
  streamClosed(connection: Connection): void {
    const last = this.open.pop();
    if (last.connection !== connection) {
      unchecked((this.open[connection.place] = last));
      last.connection.place = connection.place;
    }
    count(CONNECTIONS_NOW, -1);
    if (!this.full) return;
    this.full = false;
    for (let i = 0; i < this.acceptors.length; i++) this.acceptors[i].resume();
  }
}
