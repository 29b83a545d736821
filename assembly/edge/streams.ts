// Streams for the handler's component: each connection is opened to it, and answers its reads and writes.
//
// Invariants: a read that is longer than READ_CHUNK_BYTES is handed on as it comes, so that it needs no memory here; of
// what was written the handler hears when its peer's socket refuses none of it; an id is live from `opened` to
// `closed`.
// Reference: wit/waterspout.wit, `streams`; assembly/bridge/streams.ts does the same over frames.

import { setMemoryBytesMax } from "../bytes/buffer";
import { Address } from "../core/address";
import { REASON_IO } from "../core/errors";
import * as limits from "../core/limits";
import { NS_PER_MS } from "../core/units";
import { Callback, IOLoop } from "../loop/ioloop";
import { TCPServer } from "../server/tcpserver";
import { IOStream, StreamHandler } from "../stream/iostream";
import { release } from "../wasi/component/memory";
import { markCalled, writeAddress } from "./handler";
import { nextId, slotOf } from "./ids";
import * as calls from "./streamcalls";

const addressText: usize = memory.data(64);


@final
class EdgeStream extends StreamHandler {
  id: u32 = 0; // 0: not live
  stream!: IOStream;
  private touched: bool = false; // since the idle time was over
  private remaining: i32 = 0; // of a read that is delivered in parts
  private given: u32 = 0; // bytes that the handler gave to be written, and has not heard of
  private listed: bool = false; // among those that are to be reported

  constructor(
    private server: EdgeTCPServer,
    readonly slot: i32,
  ) {
    super();
  }

  start(stream: IOStream, address: Address | null): void {
    this.stream = stream;
    this.id = nextId(this.slot);
    this.remaining = 0;
    this.given = 0;
    stream.bufferBytesMax = this.server.bufferBytesMax;
    stream.writeTimeoutMs = this.server.writeTimeoutMs;
    stream.halfCloseTimeoutMs = this.server.halfCloseTimeoutMs;
    stream.setHandler(this);
    this.touch();
    const size = i32(writeAddress(addressText, address) - addressText);
    calls.opened(this.id, addressText, size, address ? address.port : 0);
    markCalled();
  }

  // --- what the handler asks for ---

  readUntil(delimiter: usize, size: i32, maxBytes: i32): void {
    if (!size || size > limits.DELIMITER_BYTES_MAX || !maxBytes) return this.stream.close();
    if (!this.stream.reading) this.remaining = 0;
    this.stream.readUntil(delimiter, size, maxBytes);
  }

  readBytes(count: i32, partial: bool): void {
    if (!count) return this.stream.close();
    if (!this.stream.reading) this.remaining = partial ? 0 : count;
    this.stream.readBytes(min(count, limits.READ_CHUNK_BYTES), true);
  }

  write(source: usize, size: i32): void {
    this.given += size;
    this.stream.cork();
    this.stream.write(source, size);
    this.touch();
    this.list();
  }

  close(atOnce: bool): void {
    if (atOnce) this.stream.close();
    else this.stream.finish(true);
  }

  // --- what the stream says ---

  onRead(stream: IOStream, source: usize, size: i32): void {
    this.touch();
    if (this.remaining) this.remaining -= size;
    calls.data(this.id, source, size, !this.remaining);
    markCalled();
    if (this.remaining) stream.readBytes(min(this.remaining, limits.READ_CHUNK_BYTES), true);
  }

  onReadFailed(stream: IOStream, reason: i32): void {
    calls.readFailed(this.id, caseOf(reason));
    markCalled();
  }

  onEnd(stream: IOStream): void {
    calls.ended(this.id);
    markCalled();
  }

  onSent(stream: IOStream): void {
    this.touch();
    this.list();
  }

  /** As a stream of the bridge: what has come by now and was not read yet counts. */
  onTimeout(stream: IOStream): void {
    this.touched = false;
    if (!stream.unread) stream.readNow();
    if (!this.touched) stream.finish(stream.unread > 0);
  }

  onClose(stream: IOStream, reason: i32): void {
    calls.closed(this.id, caseOf(reason));
    markCalled();
    this.id = 0;
    this.server.ended(this);
    IOLoop.current().addCallback(this.server.nextTurn); // the turn's actions have been collected
  }

  private list(): void {
    if (this.listed) return;
    this.listed = true;
    this.server.written.push(this);
    IOLoop.current().addCallback(this.server.nextTurn);
  }

  /** In the turn behind a write: says what has left, unless some of it has not. */
  report(): void {
    this.listed = false;
    if (!this.id || !this.given || this.stream.closed || this.stream.unsent) return;
    calls.sent(this.id, this.given);
    this.given = 0;
    markCalled();
  }

  private touch(): void {
    const limit = this.server.idleTimeoutMs;
    this.touched = true;
    if (limit) this.stream.setDeadline(IOLoop.current().time + i64(limit) * NS_PER_MS);
  }
}

function caseOf(reason: i32): i32 {
  return (reason > calls.REASON_LAST ? REASON_IO : reason) - calls.REASON_FIRST;
}

/** In the turn behind one in which something was written or closed. */
@final
class NextTurn extends Callback {
  private reported: Array<EdgeStream> = [];

  constructor(private server: EdgeTCPServer) {
    super();
  }

  run(): void {
    const streams = this.server.written;
    this.server.written = this.reported;
    this.reported = streams;
    for (let i = 0; i < streams.length; i++) unchecked(streams[i]).report();
    streams.length = 0;
  }
}


@final
class EdgeTCPServer extends TCPServer {
  /** 0: a stream may be silent for ever. */
  idleTimeoutMs: i32 = 0;
  writeTimeoutMs: i32 = 0;
  halfCloseTimeoutMs: i32 = 0;
  bufferBytesMax: i32 = 0;
  written: Array<EdgeStream> = [];
  nextTurn!: NextTurn;
  private streams: Array<EdgeStream> = [];
  private free: Array<EdgeStream> = [];

  constructor() {
    super();
    this.nextTurn = new NextTurn(this);
  }

  handleStream(stream: IOStream, address: Address | null): void {
    let found: EdgeStream;
    if (this.free.length) found = this.free.pop();
    else {
      found = new EdgeStream(this, this.streams.length);
      this.streams.push(found);
    }
    found.start(stream, address);
  }

  ended(stream: EdgeStream): void {
    this.free.push(stream);
  }

  /** The live stream with this id, null: it is over. */
  find(id: u32): EdgeStream | null {
    const slot = slotOf(id);
    if (slot >= this.streams.length) return null;
    const stream = unchecked(this.streams[slot]);
    return stream.id == id && !stream.stream.closed ? stream : null;
  }
}

/** Null: connections bring requests. */
let server: EdgeTCPServer | null = null;

/** Whether connections come as streams. */
export function servesStreams(): bool {
  return server !== null;
}

/** Carries out an action that is about streams, and gives its memory back. */
export function act(kind: u8, value: usize): void {
  if (kind == calls.SERVE_STREAMS) return serve(value);
  const stream = server ? server!.find(load<u32>(value)) : null;
  if (kind == calls.READ_UNTIL) {
    const delimiter = load<usize>(value, calls.DELIMITER);
    const size = load<i32>(value, calls.DELIMITER_SIZE);
    if (stream) stream.readUntil(delimiter, size, positive(load<u32>(value, calls.UNTIL_BYTES)));
    release(delimiter, size);
  } else if (kind == calls.WRITE) {
    const bytes = load<usize>(value, calls.WRITTEN);
    const size = load<i32>(value, calls.WRITTEN_SIZE);
    if (stream && size) stream.write(bytes, size);
    release(bytes, size);
  } else if (stream) {
    if (kind == calls.READ_BYTES) {
      stream.readBytes(positive(load<u32>(value, calls.COUNT)), load<u8>(value, calls.PARTIAL) != 0);
    } else stream.close(kind == calls.CLOSE);
  }
}

function serve(settings: usize): void {
  if (server) return;
  const made = new EdgeTCPServer();
  made.connectionsMax = min(or(settings, calls.CONNECTIONS_MAX, limits.CONNECTIONS_MAX), limits.CONNECTIONS_MAX);
  made.idleTimeoutMs = or(settings, calls.IDLE_TIMEOUT, 0);
  made.writeTimeoutMs = or(settings, calls.WRITE_TIMEOUT, limits.WRITE_TIMEOUT_MS);
  made.halfCloseTimeoutMs = or(settings, calls.HALF_CLOSE_TIMEOUT, limits.HALF_CLOSE_TIMEOUT_MS);
  made.bufferBytesMax = or(settings, calls.BUFFER_BYTES, limits.BUFFER_BYTES_MAX);
  setMemoryBytesMax(or(settings, calls.MEMORY_BYTES, limits.MEMORY_BYTES_MAX));
  if (load<u8>(settings + calls.PROXY_PROTOCOL)) made.useProxyProtocol();
  server = made;
}

/** To be called once the first outcome is there. */
export function listen(): void {
  server!.listen();
}

function or(settings: usize, at: usize, otherwise: i32): i32 {
  const value = load<u32>(settings + at);
  return value ? positive(value) : otherwise;
}

/** A u32 of the handler's as what it is used as: an i32 that is not negative. */
function positive(value: u32): i32 {
  return i32(min<u32>(value, i32.MAX_VALUE));
}
