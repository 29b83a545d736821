// Every limit of the sandbox: its unit (last in the name), its default, and the reason for it. A peer can reach each of
// them and can switch none of them off. docs/limits.md lists them with the way to change them. Those that the host
// knows too are in sharedlimits.ts.

import { CONNECTIONS_MAX } from "./sharedlimits";

export * from "./sharedlimits";

// --- connections ---

/** Handles (listeners, channel, connections) that one module can hold; its tables are laid out for this many. */
export const HANDLES_MAX: i32 = 32768;

if (CONNECTIONS_MAX > HANDLES_MAX - 64) ERROR("CONNECTIONS_MAX leaves no handles for listeners and the channel");

/** Listeners that one worker takes over. */
export const LISTENERS_MAX: i32 = 16;
/**
 * Handles of a component over WASI 0.3, connections and its listener: each connection has four of the 100,000 resources
 * that wasmtime gives a component before it ends it.
 */
export const ASYNC_HANDLES_MAX: i32 = 20064;
/**
 * Requests that one instance of a component of wasi:http 0.3 has at the same time; with more wasmtime starts another.
 * It hands over 16, unless an option says more.
 */
export const EXCHANGES_MAX: i32 = 1000;
/** Files that a component over WASI 0.3 has open at once: each has three of these resources while it is read. */
export const FILES_OPEN_MAX: i32 = 4096;
/**
 * Connections that wait in a component's queue to be accepted, unless configured; the system has a bound of its own.
 */
export const LISTEN_BACKLOG: i32 = 4096;
export const LISTEN_BACKLOG_MAX: i32 = 65535;
/** How long a handler that is another component may take to begin its answer, unless configured. */
export const ANSWER_TIMEOUT_MS: i32 = 60000;
export const ANSWER_TIMEOUT_MS_MAX: i32 = 86400000;
/** Connections accepted in one turn: a flood of them must not hold up those that are being served. */
export const ACCEPTS_PER_TURN: i32 = 64;
/** How long a listener pauses after the process ran out of descriptors, so that it does not spin. */
export const ACCEPT_PAUSE_MS: i32 = 100;

/** A PROXY protocol header, extensions included; the specification's own advice for a receiver is 536 and more. */
export const PROXY_HEADER_BYTES_MAX: i32 = 4096;
/** How long a connection may take to send its PROXY protocol header: its proxy sends it at once. */
export const PROXY_HEADER_TIMEOUT_MS: i32 = 5000;

// --- outgoing connections ---

/** A name and its connection together, unless the client says otherwise; as Tornado's HTTP client. */
export const CONNECT_TIMEOUT_MS: i32 = 20000;
/** A host name: DNS has no longer ones (RFC 1035 2.3.4, without the last dot). */
export const CONNECT_NAME_BYTES_MAX: i32 = 253;
/** Addresses of one name that are tried; the rest are left out. */
export const CONNECT_ADDRESSES_MAX: i32 = 16;
/** Head start of the first family of addresses of a name; RFC 8305 names 250 ms, Tornado takes this. */
export const SECOND_FAMILY_MS: i32 = 300;
/** Requests of a component's handler to other servers that are under way; more fail at once. */
export const OUTGOING_MAX: i32 = 256;
/** How long another server may be silent while its answer is awaited, unless configured; as nginx's. */
export const RESPONSE_TIMEOUT_MS: i32 = 60000;
/** How long a connection to another server is kept that no request needs. Many servers keep theirs no longer. */
export const CLIENT_IDLE_TIMEOUT_MS: i32 = 30000;
/** Answers of the kind 1xx before the final one. While a request is still sent no time ends them. */
export const CLIENT_INFORMATION_MAX: i32 = 10;

// --- streams ---

/** One read from a socket. Also the size of the shared buffer that a read lands in first. */
export const READ_CHUNK_BYTES: i32 = 65536;
/** Reads of one stream in one turn; the next turn goes on, so a fast peer shares the loop with the others. */
export const READS_PER_TURN: i32 = 4;
/** What a stream's read may need to hold; more ends with TOO_LONG. */
export const BUFFER_BYTES_MAX: i32 = 16 << 20;
/** What may wait for a peer that does not read; more ends the stream with BUFFER_FULL. */
export const WRITE_BUFFER_BYTES_MAX: i32 = 32 << 20;
/**
 * Of the heap, what streams leave to others when the host gives no more, if an eighth is not less; collected bodies
 * leave twice as much.
 */
export const MEMORY_SPARE_BYTES: i32 = 4 << 20;
/** A stream that holds less is not worth ending when memory is short. */
export const MEMORY_HELD_BYTES_MIN: i32 = 65536;
/** Longest time that a peer may take nothing of what waits for it. */
export const WRITE_TIMEOUT_MS: i32 = 60000;
/**
 * Bytes a second that an HTTP peer must take of what waits for it, WRITE_TIMEOUT_MS of slack aside. As for bodies,
 * below.
 */
export const WRITE_RATE_BYTES_MIN: i32 = 500;
/**
 * A peer that has ended its side may have left or may wait for an answer, which looks the same: it counts as gone when
 * nothing was sent to it for so long. Long enough for a slow answer to a client that has shut down its sending side.
 */
export const HALF_CLOSE_TIMEOUT_MS: i32 = 30000;
/**
 * While what a peer has sent is not taken, its socket is not read, and its end cannot be seen: it counts as gone when
 * nothing was taken from it or sent to it for so long. Longer than any pause that a handler makes on purpose.
 */
export const UNREAD_TIMEOUT_MS: i32 = 600000;
/**
 * After the last answer what still comes is read and dropped, since closing with unread input would reset the
 * connection before a client that sends first and reads then has read it. The longest silence, the longest time in all
 * (as nginx's), and an amount that suits uploads which are refused.
 */
export const LINGER_MS: i32 = 2000;
export const LINGER_WHOLE_MS: i32 = 30000;
export const LINGER_BYTES_MAX: i32 = 64 << 20;

// --- HTTP ---

/** The request-target. */
export const TARGET_BYTES_MAX: i32 = 16384;
/** Empty lines before a request line that are forgiven (RFC 9112 2.2). */
export const EMPTY_LINES_BYTES_MAX: i32 = 16;
/** A chunk's size and extensions, without the line end. */
export const CHUNK_LINE_BYTES_MAX: usize = 4096;
/** Bytes of a chunked body that are neither data nor the least that its chunks need; Go's net/http allows as much. */
export const CHUNK_EXCESS_BYTES_MAX: i64 = 16384;
/** All trailer lines of a chunked body together, the empty line included. */
export const TRAILER_BYTES_MAX: usize = 8192;
/** Longest silence inside a request's body, and the slack that BODY_RATE_BYTES_MIN leaves. */
export const BODY_TIMEOUT_MS: i32 = 30000;
/**
 * Bytes of a body that must come a second, so that it ends in bounded time; Apache's mod_reqtimeout asks for as many.
 */
export const BODY_RATE_BYTES_MIN: i32 = 500;
/**
 * Requests of one connection: the last answer closes it. A bound, so that connections move to other workers and proxies
 * now and then; it can be generous, since a connection's memory does not grow with its requests (nginx, whose does, has
 * 1,000).
 */
export const REQUESTS_MAX: i32 = 1_000_000;
/** A body that its handler did not want is read and dropped up to here to keep the connection; beyond it is closed. */
export const DISCARD_BYTES_MAX: i64 = 256 << 10;
/** Pipelined bytes that are read ahead while a request is being answered. */
export const PIPELINE_BYTES_MAX: i32 = 65536;
/** Requests of one connection that are begun in a row, when it pipelines: then all others that are ready come first. */
export const REQUESTS_AT_ONCE: i32 = 64;
/** A request in flight for longer than this is watched again, so that its handler learns when the client is gone. */
export const WATCH_AFTER_MS: i32 = 250;

// --- WebSocket ---

/** How long a peer has for its close frame once ours has left; as Tornado's. */
export const WS_CLOSE_TIMEOUT_MS: i32 = 5000;
/**
 * How long the handler may take to answer what came before the peer's close frame, which waits for it (RFC 6455 5.5.1).
 */
export const WS_ANSWER_TIMEOUT_MS: i32 = 10000;
/** Frames of one websocket in one turn: a flood of tiny ones must not hold up the others. */
export const WS_FRAMES_PER_TURN: i32 = 1024;

/** Refused requests that are logged a second; the others are counted, and the next line says how many. */
export const REFUSALS_PER_SECOND: i32 = 10;

// --- applications: web/ ---

/** Arguments of a query, and of a form; Tornado's bound. */
export const ARGUMENTS_MAX: i32 = 1000;
/** A piece of a file, read at once; the next is read when nothing waits for the client. */
export const FILE_BLOCK_BYTES: i32 = 65536;
/** Blocks of one file in one turn: then all others that are ready come first. */
export const FILE_BLOCKS_PER_TURN: i32 = 4;

// --- the bridge ---

/** Frames that are written to the host at once: as much as Node reads at once, so that a frame is seldom cut. */
export const CHANNEL_PIECE_BYTES: i32 = 64 << 10;
/** Frames that wait for credit in the middle of a turn: beyond it no socket is read any more in this turn, either. */
export const CHANNEL_WAITING_BYTES_MAX: i32 = 512 << 10;
/** What the kernel keeps beside the bytes of one write, rounded up. */
export const CHANNEL_WRITE_COST: i32 = 2048;
/**
 * Written to the host and not yet echoed, each write with its cost: three pieces. A socket pair holds 208 KiB by
 * default on Linux.
 */
export const CHANNEL_BYTES_MAX: i32 = 198 << 10;
/** A request's body up to this size travels inside its REQUEST frame when it has come with the head. */
export const INLINE_BODY_BYTES: i32 = 16384;
