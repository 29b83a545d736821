// The bridge: the application that is core.wasm. It serves nothing itself but forwards streams and requests to a host,
// over the public AssemblyScript API and frames on fd 0 and fd 1. Invariant: until CONFIG has come nothing is accepted.
// Reference: docs/protocol.md.

import { bytesInUse, setMemoryBytesMax } from "../bytes/buffer";
import { HTTPServer } from "../http/server";
import { Callback, IOLoop } from "../loop/ioloop";
import * as limits from "../core/limits";
import { STATS, writeStats } from "../core/stats";
import { TCPServer } from "../server/tcpserver";
import * as wasi from "../wasi/index";
import { Channel, FrameHandler, fail } from "./channel";
import {
  CONFIG_CONNECT,
  CONFIG_NODE,
  CONFIG_PROXY,
  CONFIG_BYTES,
  FRAME_BODY_CREDIT,
  FRAME_CANCEL,
  FRAME_CLOSE,
  FRAME_CLOSE_ALL,
  FRAME_CONFIG,
  FRAME_DETACH,
  FRAME_DRAINED,
  FRAME_ECHO,
  FRAME_FEED,
  FRAME_FEED_END,
  FRAME_GET_STATS,
  FRAME_READ_BYTES,
  FRAME_READ_RAW,
  FRAME_READ_UNTIL,
  FRAME_READY,
  FRAME_RESPONSE,
  FRAME_RESPONSE_BODY,
  FRAME_RESPONSE_END,
  FRAME_RESPONSE_TRAILERS,
  FRAME_START_TLS,
  FRAME_STATS,
  FRAME_STOP,
  FRAME_WRITE,
  FRAME_WS_ACCEPT,
  KIND_HTTP,
  KIND_STREAMS,
  PROTOCOL_VERSION,
  RESPONSE_BYTES,
  STATS_BYTES,
  TRAILERS_BYTES,
} from "./frames";
import { BridgeHTTPHandler, findRequest } from "./requests";
import { BridgeStream, BridgeTCPServer } from "./streams";

export { _start, turn } from "../loop/entry";

if (STATS_BYTES != STATS * 8) ERROR("STATS is the whole table");

/** The first frame, once the platform can be asked. */
@final
class Hello extends Callback {
  constructor(private channel: Channel) {
    super();
  }
  run(): void {
    const payload = this.channel.send(FRAME_READY, 0, 4);
    store<u16>(payload, u16(PROTOCOL_VERSION));
    store<u16>(payload, u16(wasi.listenerCount()), 2);
  }
}


@final
class Bridge extends FrameHandler {
  private channel!: Channel;
  private streams: BridgeTCPServer | null = null; // of a server of requests: those whose connection was detached
  private server: HTTPServer | null = null;
  private handler!: BridgeHTTPHandler;
  private stopping: bool = false;
  private statsAsked: u32 = 0; // the last GET_STATS that is to be answered, 0: none
  private drained: bool = false;

  constructor() {
    super();
    this.channel = new Channel(this);
    this.handler = new BridgeHTTPHandler(this.channel);
    IOLoop.current().addCallback(new Hello(this.channel));
  }

  onFrame(type: u32, id: u32, source: usize, size: i32): void {
    if (type == FRAME_CONFIG) return this.configure(source, size);
    if (!this.streams) return fail("not now");
    if (type == FRAME_ECHO) return this.channel.echo(id);
    if (type <= FRAME_CLOSE_ALL) return this.onServerFrame(type, id, source, size);
    if (this.server) this.onRequestFrame(this.server!, type, id, source, size);
    else this.onStreamFrame(this.streams!, type, id, source, size);
  }

  private onServerFrame(type: u32, id: u32, source: usize, size: i32): void {
    switch (type) {
      case FRAME_STOP:
        if (size != 8) fail("wrong size");
        this.stop(positive(load<u32>(source)), positive(load<u32>(source, 4)));
        break;
      case FRAME_GET_STATS:
        if (size || !id) fail("wrong size");
        this.statsAsked = id;
        break;
      case FRAME_CLOSE_ALL:
        if (size) fail("wrong size");
        this.any.closeAllConnections();
        break;
      default:
        fail("unknown type");
    }
  }

  private onStreamFrame(server: BridgeTCPServer, type: u32, id: u32, source: usize, size: i32): void {
    const stream = server.find(id);
    switch (type) {
      case FRAME_READ_UNTIL:
        if (size <= 4 || size > 4 + limits.DELIMITER_BYTES_MAX) fail("wrong size");
        if (stream) stream.readUntil(source + 4, size - 4, positive(load<u32>(source)));
        break;
      case FRAME_READ_BYTES:
        if (size != 8 || !load<u32>(source)) fail("wrong size");
        if (stream) stream.readBytes(positive(load<u32>(source)), load<u32>(source, 4) == 1);
        break;
      case FRAME_WRITE:
        if (stream) stream.write(source, size);
        break;
      case FRAME_CLOSE:
        if (size != 4) fail("wrong size");
        if (stream) stream.close(load<u32>(source) == 1);
        break;
      default:
        this.onSecureFrame(stream, type, source, size);
    }
  }

  private onSecureFrame(stream: BridgeStream | null, type: u32, source: usize, size: i32): void {
    switch (type) {
      case FRAME_START_TLS:
        if (size) fail("wrong size");
        if (stream) stream.startTls();
        break;
      case FRAME_READ_RAW:
        if (size != 4 || !load<u32>(source)) fail("wrong size");
        if (stream) stream.readRaw(positive(load<u32>(source)));
        break;
      case FRAME_FEED:
        if (!size) fail("wrong size");
        if (stream) stream.feed(source, size);
        break;
      case FRAME_FEED_END:
        if (size) fail("wrong size");
        if (stream) stream.feedEnd();
        break;
      default:
        fail("unknown type");
    }
  }

  private onRequestFrame(server: HTTPServer, type: u32, id: u32, source: usize, size: i32): void {
    const connection = findRequest(server, id);
    if (type < FRAME_RESPONSE) {
      if (connection) fail("not now");
      return this.onStreamFrame(this.streams!, type, id, source, size);
    }
    switch (type) {
      case FRAME_RESPONSE:
        if (size < RESPONSE_BYTES) fail("wrong size");
        if (connection) this.handler.respond(connection, source, size);
        break;
      case FRAME_RESPONSE_BODY:
        if (connection && !connection.begun) fail("not now");
        if (connection) this.handler.body(connection, source, size);
        break;
      case FRAME_RESPONSE_TRAILERS:
        if (size < TRAILERS_BYTES) fail("wrong size");
        if (connection && !connection.begun) fail("not now");
        if (connection) this.handler.trailers(connection, source, size);
        break;
      case FRAME_RESPONSE_END:
        if (!connection) break;
        if (!connection.begun) fail("not now");
        if (size) connection.writeBody(source, size);
        connection.finishResponse();
        break;
      case FRAME_BODY_CREDIT:
        if (size != 4) fail("wrong size");
        if (connection) connection.takeBody(load<u32>(source));
        else this.handler.sockets.onFrame(type, id, source, size);
        break;
      case FRAME_CANCEL:
        if (connection) connection.cancel();
        else this.handler.sockets.onFrame(type, id, source, size);
        break;
      case FRAME_WS_ACCEPT:
        this.handler.sockets.accept(connection, id, source, size);
        break;
      case FRAME_DETACH:
        if (size) fail("wrong size");
        if (connection && !this.streams!.detach(connection)) fail("not now");
        break;
      default:
        this.handler.sockets.onFrame(type, id, source, size);
    }
  }

  private configure(source: usize, size: i32): void {
    if (this.streams) fail("not now");
    if (size != CONFIG_BYTES || load<u16>(source) != u16(PROTOCOL_VERSION)) fail("wrong head");
    const kind = load<u8>(source, 2);
    setMemoryBytesMax(or(load<u32>(source, 60), limits.MEMORY_BYTES_MAX));
    if (kind > KIND_HTTP) fail("wrong head");
    this.configureStreams(source, kind == KIND_STREAMS);
    if (kind == KIND_HTTP) this.serveRequests(source);
  }

  private serveRequests(source: usize): void {
    const server = new HTTPServer(this.handler);
    const parameters = server.parameters;
    const bodyBytesMax = load<i64>(source, 8);
    server.connectionsMax = min(or(load<u32>(source, 4), limits.CONNECTIONS_MAX), limits.CONNECTIONS_MAX);
    parameters.bodyBytesMax = bodyBytesMax > 0 ? bodyBytesMax : bodyBytesMax ? i64.MAX_VALUE : limits.BODY_BYTES_MAX;
    parameters.headBytesMax = min(or(load<u32>(source, 16), limits.HEAD_BYTES_MAX), limits.HEAD_BYTES_MAX);
    parameters.headerTimeoutMs = or(load<u32>(source, 20), limits.HEADER_TIMEOUT_MS);
    parameters.idleTimeoutMs = or(load<u32>(source, 24), limits.IDLE_TIMEOUT_MS);
    parameters.bodyTimeoutMs = or(load<u32>(source, 28), limits.BODY_TIMEOUT_MS);
    parameters.writeTimeoutMs = or(load<u32>(source, 32), limits.WRITE_TIMEOUT_MS);
    parameters.requestsMax = or(load<u32>(source, 48), limits.REQUESTS_MAX);
    parameters.bodyRateBytesMin = or(load<u32>(source, 52), limits.BODY_RATE_BYTES_MIN);
    parameters.writeRateBytesMin = or(load<u32>(source, 56), limits.WRITE_RATE_BYTES_MIN);
    parameters.halfCloseTimeoutMs = or(load<u32>(source, 64), limits.HALF_CLOSE_TIMEOUT_MS);
    this.handler.bodyWindow = or(load<u32>(source, 40), limits.BODY_WINDOW_BYTES);
    this.handler.sockets.window = this.handler.bodyWindow;
    const requestMs = load<u32>(source, 68);
    parameters.requestTimeoutMs = requestMs ? requestMs : u32.MAX_VALUE;
    parameters.idleBufferMs = load<i32>(source, 72);
    const flags = load<u8>(source, 3);
    parameters.connects = (flags & CONFIG_CONNECT) != 0;
    parameters.asNode = this.handler.keepsNames = (flags & CONFIG_NODE) != 0;
    if (flags & CONFIG_PROXY) server.useProxyProtocol();
    this.server = server;
    server.listen();
  }

  private configureStreams(source: usize, listens: bool): void {
    const server = new BridgeTCPServer(this.channel, listens);
    server.writeTimeoutMs = or(load<u32>(source, 32), limits.WRITE_TIMEOUT_MS);
    server.bufferBytesMax = or(load<u32>(source, 36), limits.BUFFER_BYTES_MAX);
    server.halfCloseTimeoutMs = or(load<u32>(source, 64), limits.HALF_CLOSE_TIMEOUT_MS);
    this.streams = this.handler.streams = server;
    if (!listens) return;
    server.connectionsMax = min(or(load<u32>(source, 4), limits.CONNECTIONS_MAX), limits.CONNECTIONS_MAX);
    server.idleTimeoutMs = positive(load<u32>(source, 24));
    if (load<u8>(source, 3) & CONFIG_PROXY) server.useProxyProtocol();
    server.listen();
  }

  /** The server, whatever it serves. */
  private get any(): TCPServer {
    return this.server ? this.server! : this.streams!;
  }

  private stop(graceMs: i32, requestMs: i32): void {
    this.stopping = true;
    this.any.drain(graceMs, requestMs);
  }

  private answerStats(): void {
    writeStats(this.channel.send(FRAME_STATS, this.statsAsked, STATS_BYTES), bytesInUse(), wasi.hotConnections());
    this.statsAsked = 0;
  }

  onTurnEnd(): void {
    this.handler.reports.send();
    if (this.streams) this.streams!.reports.send();
    if (this.statsAsked) this.answerStats();
    if (!this.stopping || this.any.connections || this.any.accepting) return;
    if (!this.drained) {
      this.drained = true;
      this.channel.send(FRAME_DRAINED, 0, 0);
    } else if (this.channel.empty) IOLoop.current().stop();
  }
}

/** A u32 of the host's as what it is used as: an i32 that is not negative. */
function positive(value: u32): i32 {
  return i32(min<u32>(value, i32.MAX_VALUE));
}

function or(value: u32, otherwise: i32): i32 {
  return value ? positive(value) : otherwise;
}

new Bridge(); // the loop and the channel hold it
