// Streams over the bridge: TCPServer's handleStream becomes OPEN, and each stream answers the host's reads and writes.
// So does the connection of a request, from DETACHED on, with the id of that request.
// Invariant: an id is live from OPEN or DETACHED to CLOSED, and a slot's next stream has another generation. Reference:
// docs/protocol.md.

import { Address } from "../core/address";
import { REASON_BUFFER_FULL, REASON_BUSY, REASON_END, REASON_TOO_LONG } from "../core/errors";
import { IOLoop } from "../loop/ioloop";
import { HTTP1Connection } from "../http/connection";
import { Upgraded } from "../http/request";
import { IOStream } from "../stream/iostream";
import { READ_CHUNK_BYTES } from "../core/limits";
import { NS_PER_MS } from "../core/units";
import { MORE } from "../stream/pendingread";
import { TCPServer } from "../server/tcpserver";
import { Channel, fail } from "./channel";
import {
  ADDRESS_BYTES,
  OPEN_BYTES,
  writeAddress,
  FRAME_BYTES_MAX,
  FRAME_CLOSED,
  FRAME_DATA,
  FRAME_DATA_END,
  FRAME_DETACHED,
  FRAME_END,
  FRAME_OPEN,
  FRAME_RAW,
  FRAME_RAW_FAILED,
  FRAME_READ_FAILED,
} from "./frames";
import { SLOT_MASK, idAfter } from "./ids";
import { Ledger, Reports } from "./ledger";
import { Plaintext } from "./plaintext";

/** What the host gave to be written to one stream. */
@final
class StreamLedger extends Ledger {
  constructor(private bridged: BridgeStream) {
    super();
  }
  protected get id(): u32 {
    return this.bridged.id;
  }
  protected get unsent(): i32 {
    return this.bridged.stream.unsent;
  }
}


@final
export class BridgeStream extends Upgraded {
  id: u32 = 0; // 0: not live
  stream!: IOStream;
  private lastId: u32 = 0;
  private touched: bool = false; // since the idle time was over
  private remaining: i32 = 0; // of a read that is delivered in parts
  private ledger!: StreamLedger;
  private secured: bool = false; // START_TLS has come: reads are answered from `plaintext`
  private plaintext: Plaintext | null = null; // kept for the slot's next stream

  constructor(
    private server: BridgeTCPServer,
    private slot: i32,
  ) {
    super();
    this.ledger = new StreamLedger(this);
  }

  start(stream: IOStream): void {
    this.begin(stream, (this.lastId = idAfter(this.lastId, this.slot)));
    stream.writeTimeoutMs = this.server.writeTimeoutMs;
    stream.halfCloseTimeoutMs = this.server.halfCloseTimeoutMs;
    stream.setHandler(this);
    this.touch();
    const address = stream.address;
    const payload = this.channel.send(FRAME_OPEN, this.id, OPEN_BYTES + (address ? ADDRESS_BYTES : 0));
    store<u32>(payload, stream.connection.descriptor);
    store<u32>(payload, u32(stream.listener), 4);
    if (address) writeAddress(payload + usize(OPEN_BYTES), address);
  }

  /** Goes on with the connection of a request. False: its answer has begun, or it is not complete. */
  takeOver(connection: HTTP1Connection): bool {
    const stream = connection.detach(this);
    if (!stream) return false;
    this.begin(stream, connection.request.tag);
    const ahead = connection.packet; // of a refused request
    store<u32>(this.channel.send(FRAME_DETACHED, this.id, 4), ahead ? ahead : stream.unread);
    return true;
  }

  private begin(stream: IOStream, id: u32): void {
    this.stream = stream;
    this.id = id;
    this.remaining = 0;
    this.ledger.reset();
    stream.bufferBytesMax = this.server.bufferBytesMax;
  }

  /** What it speaks is the host's affair: it has until the grace is over. */
  drain(): void {}


  @inline private get channel(): Channel {
    return this.server.channel;
  }

  // --- what the host asks for ---

  readUntil(delimiter: usize, size: i32, maxBytes: i32): void {
    if (this.secured) return this.readSecured(delimiter, size, maxBytes);
    if (!this.stream.reading) this.remaining = 0;
    this.stream.readUntil(delimiter, size, maxBytes);
  }

  /** A long read is handed on as it comes, so that it needs no memory here. */
  readBytes(count: i32, partial: bool): void {
    if (this.secured) return this.readSecured(0, partial ? 0 : count, count);
    if (!this.stream.reading) this.remaining = partial ? 0 : count;
    this.stream.readBytes(min(count, READ_CHUNK_BYTES), true);
  }

  write(source: usize, size: i32): void {
    this.ledger.add(size);
    this.stream.cork();
    this.stream.write(source, size);
    this.touch();
    this.server.reports.add(this.ledger);
  }

  close(atOnce: bool): void {
    if (atOnce) this.stream.close();
    else this.stream.finish(true);
  }

  // --- TLS: what the socket brings goes to the host, and reads are answered from what comes back ---

  startTls(): void {
    if (this.secured || this.stream.reading) fail("not now");
    this.secured = true;
    if (!this.plaintext) this.plaintext = new Plaintext();
  }

  readRaw(count: i32): void {
    if (!this.secured) fail("not now");
    this.stream.readBytes(min(count, READ_CHUNK_BYTES), true);
  }

  feed(source: usize, size: i32): void {
    if (!this.secured || this.plaintext!.ended) fail("not now");
    const plaintext = this.plaintext!;
    if (!plaintext.fits(size, this.stream.bufferBytesMax)) fail("not now");
    if (!plaintext.feed(source, size)) return this.stream.close(REASON_BUFFER_FULL);
    this.answer(plaintext);
  }

  feedEnd(): void {
    if (!this.secured || this.plaintext!.ended) fail("not now");
    this.plaintext!.ended = true;
    this.answer(this.plaintext!);
  }

  /** READ_UNTIL, or without a delimiter READ_BYTES: `size` in all, 0: any number up to `maxBytes`. */
  private readSecured(delimiter: usize, size: i32, maxBytes: i32): void {
    const plaintext = this.plaintext!;
    if (plaintext.reading) return this.failRead(REASON_BUSY);
    this.remaining = delimiter ? 0 : size;
    if (!delimiter) plaintext.readSome(min(maxBytes, READ_CHUNK_BYTES));
    else if (!plaintext.readUntil(delimiter, size, min(maxBytes, this.stream.bufferBytesMax))) {
      return this.stream.close(REASON_BUFFER_FULL);
    }
    this.answer(plaintext);
  }

  private answer(plaintext: Plaintext): void {
    while (plaintext.reading) {
      const n = plaintext.match();
      if (n > 0) {
        this.hand(plaintext.source, n);
        plaintext.finishRead(n);
        if (this.remaining) plaintext.readSome(min(this.remaining, READ_CHUNK_BYTES));
      } else if (n == MORE) {
        if (!plaintext.ended) return;
        plaintext.finishRead(0);
        this.failRead(REASON_END);
      } else {
        plaintext.finishRead(0);
        this.failRead(REASON_TOO_LONG);
        return this.stream.close(REASON_TOO_LONG);
      }
    }
    if (!plaintext.ended || plaintext.endReported || plaintext.size) return;
    plaintext.endReported = true;
    this.channel.send(FRAME_END, this.id, 0);
  }

  // --- what the stream says ---

  onRead(stream: IOStream, source: usize, size: i32): void {
    if (this.secured) {
      this.touch();
      return this.sendBytes(FRAME_RAW, source, size);
    }
    this.hand(source, size);
    if (this.remaining) stream.readBytes(min(this.remaining, READ_CHUNK_BYTES), true);
  }

  onReadFailed(stream: IOStream, reason: i32): void {
    if (this.secured) store<u16>(this.channel.send(FRAME_RAW_FAILED, this.id, 2), u16(reason));
    else this.failRead(reason);
  }

  onEnd(stream: IOStream): void {
    if (!this.secured) this.channel.send(FRAME_END, this.id, 0); // else the next READ_RAW fails with it
  }

  onSent(stream: IOStream): void {
    this.touch();
    this.server.reports.add(this.ledger);
  }

  /**
   * The idle time is over. What has come by now and was not read yet counts. A peer that is in the middle of something
   * may go on for a moment, which must not reset the connection.
   */
  onTimeout(stream: IOStream): void {
    this.touched = false;
    if (!stream.unread) stream.readNow();
    if (!this.touched) stream.finish(stream.unread > 0);
  }

  onClose(stream: IOStream, reason: i32): void {
    store<u16>(this.channel.send(FRAME_CLOSED, this.id, 2), u16(reason));
    this.id = 0;
    this.secured = false;
    if (this.plaintext) this.plaintext!.reset();
    this.server.ended(this);
  }

  /** Bytes of a read's result: all of it, or of a long one what there is. */
  private hand(source: usize, size: i32): void {
    this.touch();
    let at = 0;
    for (; size - at > FRAME_BYTES_MAX; at += FRAME_BYTES_MAX)
      this.sendBytes(FRAME_DATA, source + usize(at), FRAME_BYTES_MAX);
    if (this.remaining) this.remaining -= size;
    this.sendBytes(this.remaining ? FRAME_DATA : FRAME_DATA_END, source + usize(at), size - at);
  }

  private failRead(reason: i32): void {
    store<u16>(this.channel.send(FRAME_READ_FAILED, this.id, 2), u16(reason));
  }

  private sendBytes(type: u32, source: usize, size: i32): void {
    if (this.stream.closed) return;
    if (!this.channel.hasRoom(size)) return this.stream.close(REASON_BUFFER_FULL);
    memory.copy(this.channel.send(type, this.id, size), source, usize(size));
  }

  private touch(): void {
    const limit = this.server.idleTimeoutMs;
    this.touched = true;
    if (limit) this.stream.setDeadline(IOLoop.current().time + i64(limit) * NS_PER_MS);
  }
}


@final
export class BridgeTCPServer extends TCPServer {
  /** 0: a stream may be silent for ever. */
  idleTimeoutMs: i32 = 0;
  writeTimeoutMs: i32 = 0;
  halfCloseTimeoutMs: i32 = 0;
  bufferBytesMax: i32 = 0;
  private streams: Array<BridgeStream | null> = [];
  private free: Array<BridgeStream> = [];
  readonly reports: Reports;

  /** `listens`: the streams are connections that it accepts, not those of requests. */
  constructor(
    readonly channel: Channel,
    private listens: bool,
  ) {
    super();
    this.reports = new Reports(channel);
  }

  handleStream(stream: IOStream, address: Address | null): void {
    let bridged: BridgeStream;
    if (this.free.length) bridged = this.free.pop();
    else {
      bridged = new BridgeStream(this, this.streams.length);
      this.streams.push(bridged);
    }
    bridged.start(stream);
  }

  /**
   * The connection of a request in flight goes on as a stream. Of a server that does not listen: its streams stand in
   * the slots of the requests.
   */
  detach(connection: HTTP1Connection): bool {
    const slot = connection.request.slot;
    while (slot >= this.streams.length) this.streams.push(null);
    let bridged = unchecked(this.streams[slot]);
    if (!bridged) bridged = unchecked((this.streams[slot] = new BridgeStream(this, slot)));
    return bridged!.takeOver(connection);
  }

  ended(stream: BridgeStream): void {
    if (this.listens) this.free.push(stream);
  }

  /** The live stream with this id, null: it is over. */
  find(id: u32): BridgeStream | null {
    const slot = i32(id & SLOT_MASK);
    if (slot >= this.streams.length) return null;
    const stream = unchecked(this.streams[slot]);
    return stream && stream.id == id && !stream.stream.closed ? stream : null;
  }
}
