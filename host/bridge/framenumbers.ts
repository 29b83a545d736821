// The numbers of frames. Generated from protocol/protocol.json by `make protocol`; edit it there.
// Reference: docs/protocol.md.

export const PROTOCOL_VERSION = 1;

/** Bytes of the largest payload of a frame. */
export const FRAME_BYTES_MAX = 131072;
/** What every frame has before its payload. */
export const FRAME_HEADER_BYTES = 8;
/** The low bits of an id, which name its slot; the others are its generation. */
export const SLOT_BITS = 18;
/** All of CONFIG. */
export const CONFIG_BYTES = 76;
/** What REQUEST has before its rows. */
export const REQUEST_BYTES = 24;
/** What RESPONSE has before its rows. */
export const RESPONSE_BYTES = 16;
/** What OPEN has before its ADDRESS. */
export const OPEN_BYTES = 8;
/** What REFUSED has before its sentence. */
export const REFUSED_BYTES = 28;
/** What TRAILERS and RESPONSE_TRAILERS have before their rows. */
export const TRAILERS_BYTES = 4;
/** All of an ADDRESS. */
export const ADDRESS_BYTES = 20;
/** What WS_ACCEPT has before its rows. */
export const WS_ACCEPT_BYTES = 8;
/** What WS_DATA has before the bytes. */
export const WS_DATA_BYTES = 4;
/** What WS_SEND has before the bytes. */
export const WS_SEND_BYTES = 8;
/** What WS_CLOSED has before its text. */
export const WS_CLOSED_BYTES = 4;
/** All of STATS. */
export const STATS_BYTES = 632;
/** What CONFIG asks for: OPEN for each connection. */
export const KIND_STREAMS = 0;
/** What CONFIG asks for: REQUEST for each request. */
export const KIND_HTTP = 1;

// --- sandbox to host ---
export const FRAME_READY = 0x01;
export const FRAME_MARK = 0x02;
export const FRAME_DRAINED = 0x03;
export const FRAME_STATS = 0x04;
export const FRAME_REFUSED = 0x05;
export const FRAME_OPEN = 0x10;
export const FRAME_DATA = 0x11;
export const FRAME_DATA_END = 0x12;
export const FRAME_SENT = 0x13;
export const FRAME_READ_FAILED = 0x14;
export const FRAME_CLOSED = 0x15;
export const FRAME_END = 0x16;
export const FRAME_RAW = 0x17;
export const FRAME_RAW_FAILED = 0x18;
export const FRAME_REQUEST = 0x20;
export const FRAME_BODY = 0x0a;
export const FRAME_BODY_END = 0x22;
export const FRAME_ABORT = 0x23;
export const FRAME_WS_DATA = 0x24;
export const FRAME_WS_PONG = 0x25;
export const FRAME_WS_PING = 0x26;
export const FRAME_WS_CLOSED = 0x27;
export const FRAME_TRAILERS = 0x28;
export const FRAME_WS_ENDING = 0x29;
export const FRAME_DETACHED = 0x2a;

// --- host to sandbox ---
export const FRAME_CONFIG = 0x41;
export const FRAME_ECHO = 0x42;
export const FRAME_STOP = 0x43;
export const FRAME_GET_STATS = 0x44;
export const FRAME_CLOSE_ALL = 0x45;
export const FRAME_READ_UNTIL = 0x50;
export const FRAME_READ_BYTES = 0x51;
export const FRAME_WRITE = 0x53;
export const FRAME_CLOSE = 0x54;
export const FRAME_START_TLS = 0x55;
export const FRAME_READ_RAW = 0x56;
export const FRAME_FEED = 0x57;
export const FRAME_FEED_END = 0x58;
export const FRAME_RESPONSE = 0x60;
export const FRAME_RESPONSE_BODY = 0x61;
export const FRAME_RESPONSE_END = 0x62;
export const FRAME_BODY_CREDIT = 0x63;
export const FRAME_CANCEL = 0x64;
export const FRAME_WS_ACCEPT = 0x65;
export const FRAME_WS_SEND = 0x66;
export const FRAME_WS_SEND_PING = 0x67;
export const FRAME_WS_CLOSE = 0x68;
export const FRAME_DETACH = 0x69;
export const FRAME_RESPONSE_TRAILERS = 0x6a;

// --- flags of REQUEST ---
export const REQUEST_KEEP_ALIVE = 1;
export const REQUEST_END = 2;
export const REQUEST_ADDRESS = 4;
export const REQUEST_WEBSOCKET = 8;
export const REQUEST_EXPECT = 16;
export const REQUEST_EXCESS = 32;

// --- flags of CONFIG ---
export const CONFIG_PROXY = 1;
export const CONFIG_CONNECT = 2;
export const CONFIG_NODE = 4;

// --- flags of RESPONSE ---
export const RESPONSE_LAST = 1;
export const RESPONSE_CLOSE = 2;
export const RESPONSE_KEPT = 4;

// --- flags of WS_ACCEPT ---
export const WS_ACCEPT_DEFLATE = 1;

// --- flags of WS_DATA ---
export const WS_LAST = 1;

// --- flags of WS_DATA and WS_SEND ---
export const WS_COMPRESSED = 2;

/** The name of each type of frame, for logs. */
export const FRAME_NAMES: ReadonlyMap<number, string> = new Map([
  [FRAME_READY, "READY"],
  [FRAME_MARK, "MARK"],
  [FRAME_DRAINED, "DRAINED"],
  [FRAME_STATS, "STATS"],
  [FRAME_REFUSED, "REFUSED"],
  [FRAME_OPEN, "OPEN"],
  [FRAME_DATA, "DATA"],
  [FRAME_DATA_END, "DATA_END"],
  [FRAME_SENT, "SENT"],
  [FRAME_READ_FAILED, "READ_FAILED"],
  [FRAME_CLOSED, "CLOSED"],
  [FRAME_END, "END"],
  [FRAME_RAW, "RAW"],
  [FRAME_RAW_FAILED, "RAW_FAILED"],
  [FRAME_REQUEST, "REQUEST"],
  [FRAME_BODY, "BODY"],
  [FRAME_BODY_END, "BODY_END"],
  [FRAME_ABORT, "ABORT"],
  [FRAME_WS_DATA, "WS_DATA"],
  [FRAME_WS_PONG, "WS_PONG"],
  [FRAME_WS_PING, "WS_PING"],
  [FRAME_WS_CLOSED, "WS_CLOSED"],
  [FRAME_TRAILERS, "TRAILERS"],
  [FRAME_WS_ENDING, "WS_ENDING"],
  [FRAME_DETACHED, "DETACHED"],
  [FRAME_CONFIG, "CONFIG"],
  [FRAME_ECHO, "ECHO"],
  [FRAME_STOP, "STOP"],
  [FRAME_GET_STATS, "GET_STATS"],
  [FRAME_CLOSE_ALL, "CLOSE_ALL"],
  [FRAME_READ_UNTIL, "READ_UNTIL"],
  [FRAME_READ_BYTES, "READ_BYTES"],
  [FRAME_WRITE, "WRITE"],
  [FRAME_CLOSE, "CLOSE"],
  [FRAME_START_TLS, "START_TLS"],
  [FRAME_READ_RAW, "READ_RAW"],
  [FRAME_FEED, "FEED"],
  [FRAME_FEED_END, "FEED_END"],
  [FRAME_RESPONSE, "RESPONSE"],
  [FRAME_RESPONSE_BODY, "RESPONSE_BODY"],
  [FRAME_RESPONSE_END, "RESPONSE_END"],
  [FRAME_BODY_CREDIT, "BODY_CREDIT"],
  [FRAME_CANCEL, "CANCEL"],
  [FRAME_WS_ACCEPT, "WS_ACCEPT"],
  [FRAME_WS_SEND, "WS_SEND"],
  [FRAME_WS_SEND_PING, "WS_SEND_PING"],
  [FRAME_WS_CLOSE, "WS_CLOSE"],
  [FRAME_DETACH, "DETACH"],
  [FRAME_RESPONSE_TRAILERS, "RESPONSE_TRAILERS"],
]);
