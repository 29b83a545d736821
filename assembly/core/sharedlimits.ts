// Limits that sandbox and host both know; those of one of them are in limits.ts beside this file.
// Generated from protocol/protocol.json by `make protocol`; edit it there.

/** Connections of one worker, unless configured lower: its handles without those for listeners and the channel. */
export const CONNECTIONS_MAX: i32 = 32_704;
/** All buffers of a sandbox together. Memory of a module never shrinks, so this is what it may grow to, slots aside. */
export const MEMORY_BYTES_MAX: i32 = 1 << 30;
/** A delimiter of `readUntil`. */
export const DELIMITER_BYTES_MAX: i32 = 256;
/** Header fields of one request, and trailer fields. */
export const FIELDS_MAX: i32 = 100;
/** A request's head, request line included. As in Tornado; nginx takes 32 KiB. Larger is an attack or a mistake. */
export const HEAD_BYTES_MAX: i32 = 64 << 10;
/** For the whole head, from its first byte or from the connection's start, unless configured. */
export const HEADER_TIMEOUT_MS: i32 = 30_000;
/** After a stop began: how long after its last answer, or its start, a connection may still bring a request. */
export const DRAIN_REQUEST_MS: i32 = 500;
/** How long a worker process whose parent is gone may take for what it has begun. */
export const ORPHAN_GRACE_MS: i32 = 1_000;
/** Between two requests of a connection, unless configured. */
export const IDLE_TIMEOUT_MS: i32 = 75_000;
/** A request's body, unless configured. */
export const BODY_BYTES_MAX: i64 = 16 << 20;
/** A handler's reason phrase. */
export const REASON_BYTES_MAX: i32 = 512;
/** Bytes of one request's body that the host takes without giving credit, unless configured. */
export const BODY_WINDOW_BYTES: i32 = 256 << 10;
/** Bytes of one stream or response that the host may send ahead of SENT, unless configured. */
export const WRITE_WINDOW_BYTES: i32 = 256 << 10;
/** One message of a websocket, all its fragments together, unless configured; as Tornado's. */
export const WS_MESSAGE_BYTES_MAX: i64 = 10 << 20;
/** A ping, a pong, and a close frame's code and text (RFC 6455 5.5). */
export const WS_CONTROL_BYTES_MAX: i32 = 125;
/** What a WS_DATA takes of the window beside its bytes: many tiny ones are not cheap for the host. */
export const WS_DATA_COST: i32 = 64;
/** Folders that an AssemblyScript application may read. */
export const FOLDERS_MAX: i32 = 16;
