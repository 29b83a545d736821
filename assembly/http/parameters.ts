// The limits that a server sets for its HTTP/1 connections.
// Each value has its default, and why, in core/limits.ts.

import {
  BODY_BYTES_MAX,
  BODY_RATE_BYTES_MIN,
  BODY_TIMEOUT_MS,
  HALF_CLOSE_TIMEOUT_MS,
  HEADER_TIMEOUT_MS,
  HEAD_BYTES_MAX,
  IDLE_TIMEOUT_MS,
  REQUESTS_MAX,
  WRITE_RATE_BYTES_MIN,
  WRITE_TIMEOUT_MS,
} from "../core/limits";


@final
export class HTTP1ConnectionParameters {
  headBytesMax: i32 = HEAD_BYTES_MAX;
  bodyBytesMax: i64 = BODY_BYTES_MAX;
  headerTimeoutMs: i32 = HEADER_TIMEOUT_MS;
  idleTimeoutMs: i32 = IDLE_TIMEOUT_MS;
  bodyTimeoutMs: i32 = BODY_TIMEOUT_MS;
  writeTimeoutMs: i32 = WRITE_TIMEOUT_MS;
  /** For the answer to a client that has ended its side: how long nothing of it may leave. */
  halfCloseTimeoutMs: i32 = HALF_CLOSE_TIMEOUT_MS;
  /** Bytes a second; 0: any amount, as long as it comes within the timeout. */
  bodyRateBytesMin: i32 = BODY_RATE_BYTES_MIN;
  writeRateBytesMin: i32 = WRITE_RATE_BYTES_MIN;
  requestsMax: i32 = REQUESTS_MAX;
  /** CONNECT is a request as others are, with the authority as its target; else it is refused. */
  connects: bool = false;
  /** No connection is kept after its answer: the server stops. */
  draining: bool = false;
}
