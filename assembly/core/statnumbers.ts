// Places in the table of STATS. Generated from protocol/protocol.json by `make protocol`; edit it there.

/** Open connections. */
export const CONNECTIONS_NOW: i32 = 0;
/** Connections that were accepted. */
export const CONNECTIONS_EVER: i32 = 1;
/** Connections that were closed because their PROXY protocol header was wrong or did not come. */
export const CONNECTIONS_REFUSED: i32 = 2;
/** Times that accepting rested because there were no descriptors. */
export const ACCEPT_RESTS: i32 = 3;
/** Bytes that were read from peers. */
export const BYTES_IN: i32 = 4;
/** Bytes that have left for peers. */
export const BYTES_OUT: i32 = 5;
/** Requests whose answer is not complete, without those whose client was found to have ended its side. */
export const REQUESTS_NOW: i32 = 6;
/** Requests whose head was in order. */
export const REQUESTS_EVER: i32 = 7;
/** Requests that the sandbox answered with an error. */
export const REQUESTS_REFUSED: i32 = 8;
/** Turns of the loop. */
export const TURNS: i32 = 9;
/** Nanoseconds in turns; waiting does not count. */
export const TURN_NS: i32 = 10;
/** Nanoseconds of the longest turn. */
export const TURN_NS_MAX: i32 = 11;
/** Handles that turns tried because they were, or might have been, ready. */
export const HANDLES_TRIED: i32 = 12;
/** Calls of poll_oneoff. */
export const POLLS: i32 = 13;
/** Connections that were read without a poll. */
export const PROBES: i32 = 14;
/** Probes that found nothing. */
export const PROBES_MISSED: i32 = 15;
/** Bytes in buffers. */
export const BUFFER_BYTES: i32 = 16;
/** Bytes of the sandbox's memory. */
export const MEMORY_BYTES: i32 = 17;
/** Open connections that are hot: each poll asks about them. Up to 64 are not sorted: they stay hot. */
export const CONNECTIONS_HOT: i32 = 18;
/** The first of the turns' times: how many turns took at most 1,024 ns, at most twice that, and so on. */
export const TURN_TIMES: i32 = 19;
/** How many numbers stand for the turns' times. */
export const TURN_TIMES_COUNT: i32 = 20;
/** The first of the refused requests by their reason, in the order of http/refusals.ts; the last is for others. */
export const REFUSALS: i32 = 39;
/** How many numbers stand for refused requests. */
export const REFUSALS_COUNT: i32 = 40;

/** Numbers in the table. */
export const STATS: i32 = 79;
