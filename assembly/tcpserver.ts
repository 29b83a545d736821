// TCPServer: accepts connections and hands each to handleStream as an IOStream.
// Invariant: connections counts the streams that were handed out and are not closed; at connectionsMax accepting pauses.
// Reference: Tornado's tcpserver.py.

import { Callback, IOLoop } from "./ioloop";
import { IOStream, StreamHandler, StreamOwner } from "./iostream";
import { AcceptHandler, Acceptor, Address, addAcceptHandler, bindSockets } from "./netutil";
import { CONNECTIONS_MAX } from "./limits";

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
class Listening extends Callback {
  constructor(private server: TCPServer) {
    super();
  }
  run(): void {
    this.server.addSockets(bindSockets());
  }
}

export abstract class TCPServer extends StreamOwner {
  /** Open connections now. */
  connections: i32 = 0;
  connectionsMax: i32 = CONNECTIONS_MAX;
  private acceptors: Array<Acceptor> = [];
  private full: bool = false;

  /** A connection: set the stream's handler with stream.setHandler and begin to read. `address` is null where it is unknown. */
  abstract handleStream(stream: IOStream, address: Address | null): void;

  /** Accepts on all sockets that the host handed over, from the loop's next turn on. */
  listen(): void {
    IOLoop.current().addCallback(new Listening(this));
  }

  /** Accepts on these sockets. */
  addSockets(sockets: Array<i32>): void {
    for (let i = 0; i < sockets.length; i++) {
      this.acceptors.push(addAcceptHandler(sockets[i], this.acceptors.length, new Accepting(this)));
    }
  }

  /** Stops listening; open connections go on. Safe to call twice. */
  stop(): void {
    for (let i = 0; i < this.acceptors.length; i++) this.acceptors[i].close();
    this.acceptors.length = 0;
  }

  /** For the acceptors. */
  accepted(handle: i32, listener: i32): void {
    const stream = IOStream.open(handle, noHandler);
    stream.owner = this;
    stream.listener = listener;
    this.connections++;
    if (this.connections >= this.connectionsMax) {
      this.full = true;
      for (let i = 0; i < this.acceptors.length; i++) this.acceptors[i].pause();
    }
    this.handleStream(stream, null);
  }

  streamClosed(stream: IOStream): void {
    this.connections--;
    if (!this.full) return;
    this.full = false;
    for (let i = 0; i < this.acceptors.length; i++) this.acceptors[i].resume();
  }
}
