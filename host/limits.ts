/** The host's own bounds: unit last in the name, and why each is what it is. The sandbox's are in assembly/limits.ts. */

/** Bytes of one request's body that the sandbox may send before the handler has taken any. */
export const BODY_WINDOW_BYTES = 256 << 10;
/** Bytes of one stream or response that wait in the sandbox; enough for a fast peer, little enough for many slow ones. */
export const WRITE_WINDOW_BYTES = 256 << 10;
/** Smallest windows that can be configured: one frame has to fit. */
export const WINDOW_BYTES_MIN = 16 << 10;
/** A request's body, unless configured: as in the sandbox, but named here because `readBody` holds to it too. */
export const BODY_BYTES_MAX = 16 << 20;
/** Bytes of a body in one frame: pieces of this size let other connections' frames go between. */
export const PIECE_BYTES = 64 << 10;
/** A response's header fields, names and values together. Clients refuse more. */
export const RESPONSE_HEAD_BYTES_MAX = 64 << 10;
/** Default of `readUntil`: what a line or a head may be long without anybody having thought about it. */
export const READ_UNTIL_BYTES_MAX = 64 << 10;
/** Default of `readUntilClose`. */
export const READ_UNTIL_CLOSE_BYTES_MAX = 16 << 20;
/** What the iteration over a stream or `readUntilClose` asks for at a time, unless configured. */
export const READ_CHUNK_BYTES = 64 << 10;
/** A delimiter of `readUntil`; the sandbox's bound. */
export const DELIMITER_BYTES_MAX = 256;
/** Frames for the sandbox that are written at once instead of at the end of the turn. */
export const FLUSH_BYTES = 128 << 10;

/** How long a worker may take until it serves. */
export const START_TIMEOUT_MS = 20_000;
/** What a worker gets beyond the grace of a stop before it is killed. */
export const STOP_SLACK_MS = 1_000;
/** The default grace of a stop. */
export const STOP_GRACE_MS = 10_000;
/** How long `stats` waits for a worker before it does without it. */
export const STATS_TIMEOUT_MS = 2_000;
/** Restarts of one server's workers before it gives up; as Tornado's fork_processes. */
export const RESTARTS_MAX = 100;
/** Pause before a restart: doubled each time up to the maximum, and back to the first after a quiet minute. */
export const RESTART_PAUSE_MS = 50;
export const RESTART_PAUSE_MAX_MS = 2_000;
export const RESTART_FORGET_MS = 60_000;

/** TLS handshakes under way, and as many that wait for one to end. */
export const HANDSHAKES_MAX = 1024;
/** How long a TLS handshake may take, unless configured. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** How long those that are under way at a stop have to end. */
export const HANDSHAKE_GRACE_MS = 1_000;
/** How long a peer may do nothing after a wasmtime worker has closed its TLS connection. */
export const HALF_CLOSED_MS = 60_000;

/** How long a client that closes takes what its peer still sends, so that what it has sent itself is not lost to a reset. */
export const CLIENT_LINGER_MS = 2_000;
/** Head start of the first family of addresses of a name; RFC 8305 names 250 ms, Tornado takes this. */
export const SECOND_FAMILY_MS = 300;

/** Connections that wait in the kernel to be accepted, unless configured. */
export const BACKLOG = 511;
