/**
 * The host's own bounds: unit last in the name, and why each is what it is. The sandbox's are in
 * assembly/core/limits.ts, those that both know in sharedlimits.ts.
 */
export * from "./sharedlimits.js";

/** The same at first: little enough for many peers that do not read. */
export const WRITE_WINDOW_BYTES_FIRST = 32 << 10;
/**
 * The window grows with what the peer has taken, to this part of it: no kernel holds so much for a peer that does not
 * read.
 */
export const WRITE_WINDOW_SHARE = 256;
/** Bytes that wait in the host for one slow peer, unless configured: a few large messages. */
export const WRITE_BUFFER_BYTES_MAX = 16 << 20;
/** The same for all peers of the process together. */
export const WRITES_HELD_BYTES_MAX = 256 << 20;
/** What a write that waits takes of both beside its bytes: many tiny ones are not cheap either. */
export const WRITE_COST = 256;
/** Bytes that are read at a time from a socket of Node's: what the sandbox takes at once, for a frame. */
export const SOCKET_READ_BYTES = 65_520;
/**
 * Blocks of bytes that have come for handlers: then those that are garbage are freed. A quarter of what V8 lets come.
 */
export const YOUNG_BLOCKS_BYTES_MAX = 16 << 20;
/** Bytes of all connections that Node has read and the sandbox has not; beyond it each may have one read. */
export const READ_AHEAD_BYTES_MAX = 64 << 20;
/** Smallest windows that can be configured: one frame has to fit. */
export const WINDOW_BYTES_MIN = 16 << 10;
/**
 * All bodies that handlers hold at once may take such a part of V8's heap limit, unless configured: text is made of
 * them there.
 */
export const BODIES_HEAP_SHARE = 4;
/** Smallest bound of a sandbox's buffers that can be configured: a few requests have to fit. */
export const MEMORY_BYTES_MIN = 1 << 20;
/** Bytes of a body in one frame: pieces of this size let other connections' frames go between. */
export const PIECE_BYTES = 64 << 10;
/** A response's header fields, names and values together. Clients refuse more. */
export const RESPONSE_HEAD_BYTES_MAX = 64 << 10;
/** Default of `readUntil`: how long a line or a head may be when the caller gives no bound. */
export const READ_UNTIL_BYTES_MAX = 64 << 10;
/** Default of `readUntilClose`. */
export const READ_UNTIL_CLOSE_BYTES_MAX = 16 << 20;
/** What the iteration over a stream or `readUntilClose` asks for at a time, unless configured. */
export const READ_CHUNK_BYTES = 64 << 10;
/**
 * What the host holds for one worker because handlers have not taken it: heads, bodies, messages and parts of reads,
 * whatever peers or the worker do. Beyond it those that have most are given up: a request is
 * answered with 503 or its connection closed, a websocket closed with 1013, a stream closed.
 */
export const HELD_BYTES_MAX = 256 << 20;
/**
 * Frames that wait for a worker which goes on sending: as much as a sandbox has memory for, so no sandbox that works
 * gets there.
 */
export const UNTAKEN_BYTES_MAX = 1 << 30;
/** What a module in Node may write in one turn; the bridge's has credit for much less. */
export const TURN_OUTPUT_BYTES_MAX = 16 << 20;
/** Refused requests that one worker tells at once: as many as fit in its channel. */
export const REFUSALS_MAX = 4096;
/** One more every 50 ms; the sandbox tells half as many. */
export const REFUSAL_REFILL_MS = 50;
/** Lines that a worker with the bridge logs at once; it has none to log before it ends with a trap and its trace. */
export const WORKER_LINES_MAX = 1024;
/** One more every second. */
export const WORKER_LINE_REFILL_MS = 1_000;
/** Questions for its numbers that one worker has not answered; the next is answered with nothing. */
export const QUESTIONS_MAX = 64;
/** Frames for the sandbox that are written at once instead of at the end of the turn. */
export const FLUSH_BYTES = 128 << 10;

/** A whole answer with fewer bytes is not compressed, unless configured: as in Tornado. */
export const COMPRESS_BYTES_MIN = 1024;
/** An answer up to this size is compressed at once, which costs about a millisecond; a larger one in another thread. */
export const COMPRESS_AT_ONCE_BYTES_MAX = 16 << 10;
/** Answers that are compressed on their way at a time; each takes some 300 KiB outside of JavaScript's memory. */
export const COMPRESSORS_MAX = 256;
/** gzip and deflate, unless configured: as in Tornado. */
export const GZIP_LEVEL = 6;
/** Brotli, unless configured: about as fast as gzip at its level, and smaller. The library's own 11 is for files. */
export const BROTLI_QUALITY = 4;
/** zstd, of 19: about as small as brotli's quality for a quarter of its time. */
export const ZSTD_LEVEL = 3;

/** Arguments of one form: fields of a multipart one, pairs of an urlencoded one. Tornado's number. */
export const FORM_ARGUMENTS_MAX = 1000;
/** Parts of one multipart form. Tornado's number. */
export const FORM_PARTS_MAX = 100;
/** Header fields of one part. Tornado's number. */
export const FORM_PART_HEADER_BYTES_MAX = 10 << 10;
/** Text of a form that is held in memory: the fields of a multipart one, all of an urlencoded one. */
export const FORM_TEXT_BYTES_MAX = 1 << 20;

/**
 * Set-Cookie fields by which `clearAllCookies` clears what a client has sent: half of what an answer's head may have.
 */
export const CLEARED_COOKIES_BYTES_MAX = 32 << 10;

/** How long a worker may take until it serves, and a program under the command until it has a server listen. */
export const START_TIMEOUT_MS = 20_000;
/** What a worker gets beyond the grace of a stop before it is killed. */
export const STOP_SLACK_MS = 1_000;
/** How long a wasmtime worker that has closed its stdout may take to end. */
export const WORKER_END_MS = 1_000;
/** The default grace of a stop. */
export const STOP_GRACE_MS = 10_000;
/** The longest grace, three weeks: Node's timers end at once when they are set to more than 2^31 ms. */
export const STOP_GRACE_MS_MAX = 2_000_000_000;
/** How long a process that has a successor may take for what it has begun; nginx sets no bound. */
export const RETIRE_GRACE_MS = 600_000;
/** Processes that finish what they have begun beside those that serve, in generations; the oldest is stopped. */
export const RETIRED_MAX = 8;
/** How long a message to the service manager may take: half of the watchdog's time, within these. */
export const NOTIFY_MS_MIN = 1000;
export const NOTIFY_MS_MAX = 5000;
/** Listening sockets that a service manager passes on; what is behind them is left alone. */
export const PASSED_SOCKETS_MAX = 64;
/** How long `waterspout reload` waits for what becomes of it. */
export const RELOAD_WAIT_MS = 60_000;
/** How long `stats` waits for a worker before it does without it. */
export const STATS_TIMEOUT_MS = 2_000;
/** Restarts in a row of one server's workers before it gives up; as many as Tornado's fork_processes has in all. */
export const RESTARTS_MAX = 100;
/** One of these comes back every minute: a worker that ends more seldom is always started again. */
export const RESTART_REFILL_MS = 60_000;
/**
 * Pause before the second restart in a row; the first has none. Doubled each time up to the maximum, and none for a
 * worker that has lived for longer than RESTART_FORGET_MS: it has served, and was killed or had an accident.
 */
export const RESTART_PAUSE_MS = 50;
export const RESTART_PAUSE_MAX_MS = 2_000;
export const RESTART_FORGET_MS = 500;

/** TLS handshakes under way, and as many that wait for one to end: each takes some 50 KiB. */
export const HANDSHAKES_MAX = 1024;
/** Connections on which a TLS hello has not come whole; each takes a few KiB. */
export const SILENT_MAX = 2048;
/** How long a TLS handshake may take, unless configured. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** How long those that are under way at a stop have to end. */
export const HANDSHAKE_GRACE_MS = 1_000;
/** How long a peer may do nothing after a wasmtime worker has closed its TLS connection. */
export const HALF_CLOSED_MS = 60_000;

/** Decrypted bytes of one stream that are in the sandbox for a read that takes them as they come. */
export const FEED_BYTES_MAX = 256 << 10;

/**
 * How long a client that closes takes what its peer still sends, so that what it has sent itself is not lost to a
 * reset.
 */
export const CLIENT_LINGER_MS = 2_000;
/** Head start of the first family of addresses of a name; RFC 8305 names 250 ms, Tornado takes this. */
export const SECOND_FAMILY_MS = 300;

/** A request whose handler returned nothing is held weakly after so long: most are answered before. */
export const FORGOTTEN_CHECK_MS = 100;
/** Shortest time between two calls of the garbage collector that look for requests without a reference. */
export const COLLECT_EVERY_MS = 1_000;
/** Calls that find none before there are no more of them. */
export const COLLECTIONS_IN_VAIN_MAX = 3;
/** With a larger heap a call would delay all requests, and the engine collects often enough by itself. */
export const COLLECT_HEAP_BYTES_MAX = 64 << 20;

/** Routes whose requests are measured apart; the rest are measured together. */
export const LATENCY_ROUTES_MAX = 256;
/** Live pages of one server that are open at a time. */
export const INSPECT_WATCHERS_MAX = 16;
/** Connections of the admin server: watchers, and scrapes beside them. */
export const INSPECT_CONNECTIONS_MAX = 64;
/** Between two updates of the live page. */
export const INSPECT_EVERY_MS = 1_000;
/** Routes in each table of the live page. */
export const INSPECT_ROUTES_MAX = 10;
/** Errors of the log that the live page shows, and of how many characters each. */
export const RECENT_ERRORS_MAX = 10;
export const RECENT_ERROR_CHARS_MAX = 500;

/** Characters of a request-target or method in the access log; what is longer is cut. */
export const LOG_TARGET_CHARS_MAX = 2048;
/** Bytes of log lines that wait for a slow reader of stderr; what comes then is dropped and counted. */
export const LOG_BUFFER_BYTES_MAX = 1 << 20;
/** Between two writes of log lines that follow each other closely, unless they are so many bytes before. */
export const LOG_REST_MS = 5;
export const LOG_WRITE_BYTES = 32 << 10;
/** Bytes of one frame's payload that `WATERSPOUT_TRACE=frames+data` shows; the rest is counted. */
export const TRACE_BYTES_MAX = 1024;

/** Messages up to this size are deflated at once: that takes less time than handing them to another thread and back. */
export const DEFLATE_AT_ONCE_BYTES_MAX = 8 << 10;
/** The same for inflating: of the inflated message. A larger one is begun again in another thread. */
export const INFLATE_AT_ONCE_BYTES_MAX = 16 << 10;
/**
 * Bytes that are inflated at once in one turn of the loop, of all websockets together. The rest waits for the next
 * turn.
 */
export const INFLATE_TURN_BYTES_MAX = 1 << 20;
/** What each message takes of that at least: an empty one costs some ten microseconds too. */
export const INFLATE_MESSAGE_COST = 16 << 10;
/**
 * A piece of an inflated message in another thread: each comes back through the loop, so small ones would keep it busy.
 */
export const INFLATE_PIECE_BYTES = 256 << 10;
/** Larger ones that are in the hands of libuv's threads, of which there are four for everything. */
export const ZLIB_JOBS_MAX = 2;

/** Connections that wait in the kernel to be accepted, unless configured. */
export const BACKLOG = 511;

/** How often `--watch` looks at the files; a change is acted on when they have stayed as they are for as long again. */
export const WATCH_INTERVAL_MS = 200;

/** Clients that `rateLimit` counts apart, unless it is given another number. */
export const RATE_LIMIT_CLIENTS_MAX = 10_000;
/** Characters of a client's key there; of a longer one the digest is kept. */
export const RATE_LIMIT_KEY_CHARS_MAX = 256;
/** Characters of a proxy's or client's request id that `requestIds` and `requestId` keep. */
export const REQUEST_ID_CHARS_MAX = 128;

/** Bytes of server-sent events that wait for one client that does not read, unless configured. */
export const EVENT_STREAM_BYTES_MAX = 1 << 20;
/** Between two comments of a stream of events in which nothing happens: proxies drop silent connections after 30 s. */
export const EVENT_STREAM_HEARTBEAT_MS = 15_000;

/** Issues that the answer to a request names which has not passed its schemas, and characters of each. */
export const ISSUES_MAX = 100;
export const ISSUE_CHARS_MAX = 200;

/** A request of AsyncHTTPClient may take so long, unless configured: Tornado's number. */
export const CLIENT_REQUEST_TIMEOUT_MS = 20_000;
/** The part of it until there is a connection; also of `websocketConnect`. Tornado's number. */
export const CLIENT_CONNECT_TIMEOUT_MS = 20_000;
/** Requests of one client that are under way; more wait. Tornado's number. */
export const CLIENT_REQUESTS_MAX = 10;
/** Redirects of one request that are followed. Tornado's number. */
export const CLIENT_REDIRECTS_MAX = 5;
/** The head of an answer: as much as Tornado's client takes. */
export const CLIENT_HEAD_BYTES_MAX = 64 << 10;
/** Answers of the kind 1xx before the answer itself. Tornado's number. */
export const CLIENT_INFORMATION_MAX = 10;
/** The body of an answer, unless configured: Tornado's number. */
export const CLIENT_BODY_BYTES_MAX = 100 << 20;
/** How long the server may take to answer a close frame of a websocket client. Tornado's number. */
export const CLIENT_WS_CLOSE_MS = 5_000;

/** For a request's head and body together, of servers of Node's kind unless configured: Node's number. */
export const REQUEST_TIMEOUT_MS = 300_000;
/** How much longer than it says a connection of such a server waits for another request: Node's number. */
export const KEEP_ALIVE_BUFFER_MS = 1_000;

/** Connections that `waterspout attack` has open at the same time, unless it is given another number, and the most. */
export const ATTACK_CONNECTIONS = 96;
export const ATTACK_CONNECTIONS_MAX = 10_000;
/** How long it watches slow clients, unless it is given another time: servers commonly wait for a minute. */
export const ATTACK_PATIENCE_MS = 100_000;
/** How long it waits for an answer that ought to come at once. */
export const ATTACK_ANSWER_MS = 5_000;
/** Between two bytes of a slow client. */
export const ATTACK_DRIP_MS = 500;
/** What it sends of something without end: several times what the kernel takes for a server that does not read. */
export const ATTACK_FLOOD_BYTES_MAX = 32 << 20;
/** What it keeps of the answers on one connection. */
export const ATTACK_ANSWER_BYTES_MAX = 1 << 20;
