// The limits that a server sets for its HTTP/1 connections.
// Each value has its default, and why, in core/limits.ts.

import {
  BODY_BYTES_MAX,
  BODY_RATE_BYTES_MIN,
  BODY_TIMEOUT_MS,
  DRAIN_REQUEST_MS,
  HALF_CLOSE_TIMEOUT_MS,
  HEADER_TIMEOUT_MS,
  HEAD_BYTES_MAX,
  IDLE_TIMEOUT_MS,
  REQUESTS_MAX,
  WRITE_RATE_BYTES_MIN,
  WRITE_TIMEOUT_MS,
} from "../core/limits";

/** The limits of one server's connections, and what they may do. */
@final
export class HTTP1ConnectionParameters {
  /** Of a request's head; more is answered with 431. Default 64 KiB. */
  headBytesMax: i32 = HEAD_BYTES_MAX;
  /** Of a request's body; more is answered with 413. Default 16 MiB. */
  bodyBytesMax: i64 = BODY_BYTES_MAX;
  /** For a request's whole head. Default 30 s. */
  headerTimeoutMs: i32 = HEADER_TIMEOUT_MS;
  /** Between two requests of a connection. Default 75 s. */
  idleTimeoutMs: i32 = IDLE_TIMEOUT_MS;
  /** The longest silence inside a request's body. Default 30 s. */
  bodyTimeoutMs: i32 = BODY_TIMEOUT_MS;
  /** The longest time that a client may take nothing of what waits for it. Default 60 s. */
  writeTimeoutMs: i32 = WRITE_TIMEOUT_MS;
  /** For the answer to a client that has ended its side: how long nothing of it may leave. Default 30 s. */
  halfCloseTimeoutMs: i32 = HALF_CLOSE_TIMEOUT_MS;
  /** Bytes of a body that must come a second; 0: any amount, as long as it comes within the timeout. Default 500. */
  bodyRateBytesMin: i32 = BODY_RATE_BYTES_MIN;
  /** Bytes a second that a client must take of what waits for it; 0: any amount. Default 500. */
  writeRateBytesMin: i32 = WRITE_RATE_BYTES_MIN;
  /** Requests of one connection; the last answer closes it. Default 1,000,000. */
  requestsMax: i32 = REQUESTS_MAX;
  /** How much longer than it says a connection waits for its next request. Default 0. */
  idleBufferMs: i32 = 0;
  /** For a request's head and body together. Default: as long as the other limits let it. */
  requestTimeoutMs: u32 = u32.MAX_VALUE;
  /** CONNECT is a request as others are, with the authority as its target; else it is refused. */
  connects: bool = false;
  /**
   * As Node's server: answers say that and for how long their connection is kept, refusals have no body, a client that
   * sends nothing is answered with 408, and an expectation, a missing or odd Host (not several) and an odd target are
   * for the handler to meet.
   */
  asNode: bool = false;
  /** No connection is kept after its answer: the server stops. */
  draining: bool = false;
  /** Then: how long after its last answer, or its start, a connection may still bring a request. */
  drainRequestMs: i32 = DRAIN_REQUEST_MS;
}
