// TCPClient: outgoing connections, as streams like those that a server accepts. Tornado's TCPClient, for applications
// that are built as components of WASI 0.2 or 0.3; elsewhere every attempt fails with REASON_UNSUPPORTED.
//
// Invariants: its handler is called once for each connect(), never from inside it; after a failure and after cancel()
// nothing of the attempt is open any more. Names, addresses and the time have the bounds of core/limits.ts.
// Reference: Tornado's tcpclient.py.

import { Address } from "../core/address";
import { parseHost } from "../core/addresstext";
import { REASON_BAD_ADDRESS } from "../core/connectreasons";
import { REASON_TIMEOUT } from "../core/errors";
import { CONNECT_TIMEOUT_MS } from "../core/limits";
import { NS_PER_MS } from "../core/units";
import { Callback, IOLoop, Timeout } from "../loop/ioloop";
import { IOStream, StreamHandler } from "../stream/iostream";
import { ConnectRace, Racer } from "./happyeyeballs";
import { Resolver, Resolving } from "./resolver";

/** What becomes of a connect(). The language has no promises: so a class. */
export abstract class ConnectHandler {
  /** It is connected: set the stream's handler with stream.setHandler and begin to read. */
  abstract onConnect(stream: IOStream): void;
  /** It is not, for a reason of core/errors.ts or core/connectreasons.ts: connectReasonText() says it in words. */
  abstract onConnectFailed(reason: i32): void;
}

/** Opens outgoing connections. It keeps nothing between two calls of connect(). */
export class TCPClient {
  /** Milliseconds for the name and the connection together, more than 0. Default: CONNECT_TIMEOUT_MS. */
  timeoutMs: i32 = CONNECT_TIMEOUT_MS;

  /**
   * Connects to `port` of `host`, a name or an IP address. Of a name's addresses both families are tried, the second
   * 0.3 s after the first or when that has failed; the first connection is taken and the others are closed. The result
   * can be cancelled.
   */
  connect(host: string, port: i32, handler: ConnectHandler): PendingConnect {
    return new PendingConnect(host, port, this.timeoutMs, handler);
  }
}

/** Holds a new stream until onConnect has set its own handler. */
@final
class NoHandler extends StreamHandler {}
const noHandler: NoHandler = new NoHandler();


@final
class Begin extends Callback {
  constructor(private pending: PendingConnect) {
    super();
  }
  run(): void {
    this.pending.begin();
  }
}


@final
class TimeOver extends Timeout {
  constructor(private pending: PendingConnect) {
    super();
  }
  run(): void {
    this.pending.failed(REASON_TIMEOUT);
  }
}

/** A connect() that has no result yet. */
@final
export class PendingConnect implements Resolving, Racer {
  private loop: IOLoop = IOLoop.current();
  private timeout!: TimeOver;
  private resolver: Resolver | null = null;
  private race: ConnectRace | null = null;
  private done: bool = false;

  constructor(
    private host: string,
    private port: i32,
    private timeoutMs: i32,
    private handler: ConnectHandler,
  ) {
    this.timeout = new TimeOver(this);
    this.loop.addCallback(new Begin(this));
  }

  /** Gives up: the handler is not called. Safe at any time, also when there is a result. */
  cancel(): void {
    this.end();
  }

  /** For its callback: the loop runs. */
  begin(): void {
    if (this.done) return;
    if (this.port < 1 || this.port > 65535) return this.failed(REASON_BAD_ADDRESS);
    this.loop.callAt(this.loop.time + i64(this.timeoutMs) * NS_PER_MS, this.timeout);
    const text = String.UTF8.encode(this.host);
    const address = new Address();
    if (parseHost(changetype<usize>(text), text.byteLength, address)) return this.resolved([address]);
    this.resolver = new Resolver(this);
    this.resolver!.begin(text);
  }

  /** For the resolver. */
  resolved(addresses: Array<Address>): void {
    this.resolver = null;
    for (let i = 0; i < addresses.length; i++) addresses[i].port = this.port;
    this.race = new ConnectRace(addresses, this);
    this.race!.begin();
  }

  /** For the race. */
  won(handle: i32, address: Address): void {
    this.race = null;
    this.end();
    const stream = IOStream.open(handle, noHandler);
    stream.connection.setAddress(address);
    this.handler.onConnect(stream);
  }

  /** For the resolver, the race and the timeout. */
  failed(reason: i32): void {
    if (this.done) return;
    this.end();
    this.handler.onConnectFailed(reason);
  }

  private end(): void {
    this.done = true;
    this.loop.removeTimeout(this.timeout);
    const resolver = this.resolver;
    const race = this.race;
    if (resolver) resolver.end();
    if (race) race.end();
    this.resolver = null;
    this.race = null;
  }
}
