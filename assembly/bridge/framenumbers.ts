// The numbers of frames. Generated from protocol/protocol.json by `make protocol`; edit it there.
// Reference: docs/protocol.md.

export const PROTOCOL_VERSION: u32 = 1;

/** Bytes of the largest payload of a frame. */
export const FRAME_BYTES_MAX: i32 = 131072;
/** What every frame has before its payload. */
export const FRAME_HEADER_BYTES: i32 = 8;
/** The low bits of an id, which name its slot; the others are its generation. */
export const SLOT_BITS: i32 = 18;
/** All of CONFIG. */
export const CONFIG_BYTES: i32 = 76;
/** What REQUEST has before its rows. */
export const REQUEST_BYTES: i32 = 24;
/** What RESPONSE has before its rows. */
export const RESPONSE_BYTES: i32 = 16;
/** What OPEN has before its ADDRESS. */
export const OPEN_BYTES: i32 = 8;
/** What REFUSED has before its sentence. */
export const REFUSED_BYTES: i32 = 28;
/** What TRAILERS and RESPONSE_TRAILERS have before their rows. */
export const TRAILERS_BYTES: i32 = 4;
/** All of an ADDRESS. */
export const ADDRESS_BYTES: i32 = 20;
/** What WS_ACCEPT has before its rows. */
export const WS_ACCEPT_BYTES: i32 = 8;
/** What WS_DATA has before the bytes. */
export const WS_DATA_BYTES: i32 = 4;
/** What WS_SEND has before the bytes. */
export const WS_SEND_BYTES: i32 = 8;
/** What WS_CLOSED has before its text. */
export const WS_CLOSED_BYTES: i32 = 4;
/** All of STATS. */
export const STATS_BYTES: i32 = 632;
/** What CONFIG asks for: OPEN for each connection. */
export const KIND_STREAMS: u8 = 0;
/** What CONFIG asks for: REQUEST for each request. */
export const KIND_HTTP: u8 = 1;

// --- sandbox to host ---
export const FRAME_READY: u32 = 0x01;
export const FRAME_MARK: u32 = 0x02;
export const FRAME_DRAINED: u32 = 0x03;
export const FRAME_STATS: u32 = 0x04;
export const FRAME_REFUSED: u32 = 0x05;
export const FRAME_OPEN: u32 = 0x10;
export const FRAME_DATA: u32 = 0x11;
export const FRAME_DATA_END: u32 = 0x12;
export const FRAME_SENT: u32 = 0x13;
export const FRAME_READ_FAILED: u32 = 0x14;
export const FRAME_CLOSED: u32 = 0x15;
export const FRAME_END: u32 = 0x16;
export const FRAME_RAW: u32 = 0x17;
export const FRAME_RAW_FAILED: u32 = 0x18;
export const FRAME_REQUEST: u32 = 0x20;
export const FRAME_BODY: u32 = 0x0a;
export const FRAME_BODY_END: u32 = 0x22;
export const FRAME_ABORT: u32 = 0x23;
export const FRAME_WS_DATA: u32 = 0x24;
export const FRAME_WS_PONG: u32 = 0x25;
export const FRAME_WS_PING: u32 = 0x26;
export const FRAME_WS_CLOSED: u32 = 0x27;
export const FRAME_TRAILERS: u32 = 0x28;
export const FRAME_WS_ENDING: u32 = 0x29;
export const FRAME_DETACHED: u32 = 0x2a;

// --- host to sandbox ---
export const FRAME_CONFIG: u32 = 0x41;
export const FRAME_ECHO: u32 = 0x42;
export const FRAME_STOP: u32 = 0x43;
export const FRAME_GET_STATS: u32 = 0x44;
export const FRAME_CLOSE_ALL: u32 = 0x45;
export const FRAME_READ_UNTIL: u32 = 0x50;
export const FRAME_READ_BYTES: u32 = 0x51;
export const FRAME_WRITE: u32 = 0x53;
export const FRAME_CLOSE: u32 = 0x54;
export const FRAME_START_TLS: u32 = 0x55;
export const FRAME_READ_RAW: u32 = 0x56;
export const FRAME_FEED: u32 = 0x57;
export const FRAME_FEED_END: u32 = 0x58;
export const FRAME_RESPONSE: u32 = 0x60;
export const FRAME_RESPONSE_BODY: u32 = 0x61;
export const FRAME_RESPONSE_END: u32 = 0x62;
export const FRAME_BODY_CREDIT: u32 = 0x63;
export const FRAME_CANCEL: u32 = 0x64;
export const FRAME_WS_ACCEPT: u32 = 0x65;
export const FRAME_WS_SEND: u32 = 0x66;
export const FRAME_WS_SEND_PING: u32 = 0x67;
export const FRAME_WS_CLOSE: u32 = 0x68;
export const FRAME_DETACH: u32 = 0x69;
export const FRAME_RESPONSE_TRAILERS: u32 = 0x6a;

// --- flags of REQUEST ---
export const REQUEST_KEEP_ALIVE: i32 = 1;
export const REQUEST_END: i32 = 2;
export const REQUEST_ADDRESS: i32 = 4;
export const REQUEST_WEBSOCKET: i32 = 8;
export const REQUEST_EXPECT: i32 = 16;
export const REQUEST_EXCESS: i32 = 32;

// --- flags of CONFIG ---
export const CONFIG_PROXY: i32 = 1;
export const CONFIG_CONNECT: i32 = 2;
export const CONFIG_NODE: i32 = 4;

// --- flags of RESPONSE ---
export const RESPONSE_LAST: i32 = 1;
export const RESPONSE_CLOSE: i32 = 2;
export const RESPONSE_KEPT: i32 = 4;

// --- flags of WS_ACCEPT ---
export const WS_ACCEPT_DEFLATE: i32 = 1;

// --- flags of WS_DATA ---
export const WS_LAST: i32 = 1;

// --- flags of WS_DATA and WS_SEND ---
export const WS_COMPRESSED: i32 = 2;
