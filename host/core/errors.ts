/**
 * Every error that waterspout throws or rejects with: a class to catch and a `code` that stays the same over versions.
 * Reason codes travel in frames (docs/protocol.md, section Reasons).
 */

import { EXPLANATIONS as OF_SANDBOX, REASONS } from "./reasons.js";

export { REASONS };

/** A reason by its name; `WORKER` is the host's own: the worker that held the connection has ended. */
export type Reason = keyof typeof REASONS | "WORKER";

const EXPLANATIONS: Readonly<Record<Reason, string>> = { ...OF_SANDBOX, WORKER: "its worker has ended" };

const REASON_NAMES: (Reason | undefined)[] = [];
for (const [name, code] of Object.entries(REASONS)) REASON_NAMES[code] = name as Reason;

/** The name of a reason code from the wire; undefined when there is no such code. */
export function reasonName(code: number): Reason | undefined {
  return REASON_NAMES[code];
}

/** The base of all of waterspout's own errors. */
export class WaterspoutError extends Error {
  /** A stable name for programs, for example `"STREAM_CLOSED"`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * The stream or the request's connection is gone. `reason` says why: `"END"`, `"RESET"`, `"TIMEOUT"`, … `cause` is the
 * system's error where this process holds the socket.
 */
export class StreamClosedError extends WaterspoutError {
  /** Why it is closed. */
  readonly reason: Reason;

  constructor(reason: Reason, options?: ErrorOptions) {
    super("STREAM_CLOSED", `the stream is closed: ${EXPLANATIONS[reason]}`, options);
    this.reason = reason;
  }
}

/**
 * The websocket is closed or being closed. `reason` says how it ended; `"CLOSED"` while the closing handshake goes on.
 */
export class WebSocketClosedError extends WaterspoutError {
  /** How it ended. */
  readonly reason: Reason;

  constructor(reason: Reason) {
    super("WEBSOCKET_CLOSED", `the websocket is closed: ${EXPLANATIONS[reason]}`);
    this.reason = reason;
  }
}

/**
 * `readUntil` or `readUntilRegex` did not find its end within `maxBytes`, and the stream is closed for that: code that
 * catches StreamClosedError catches this, too.
 */
export class UnsatisfiableReadError extends StreamClosedError {
  override readonly code = "UNSATISFIABLE_READ";

  constructor() {
    super("TOO_LONG");
  }
}

/** More than a buffer may hold was asked for or is waiting. */
export class StreamBufferFullError extends WaterspoutError {
  constructor(message: string = EXPLANATIONS.BUFFER_FULL) {
    super("STREAM_BUFFER_FULL", message);
  }
}

/** A second read was started while one is pending. */
export class AlreadyReadingError extends WaterspoutError {
  constructor() {
    super("ALREADY_READING", `already reading: ${EXPLANATIONS.BUSY}`);
  }
}

/**
 * The request cannot be used as it is; unless the handler catches this, the answer is `status`: 400, 413 for one that
 * is too large, 415 for a body of a kind that was not asked for, 503 for one that there is no memory for now.
 */
export class HTTPInputError extends WaterspoutError {
  /** The status of the answer. Default 400. */
  readonly status: number;

  constructor(message: string, status = 400, code = "HTTP_INPUT", options?: ErrorOptions) {
    super(code, message, options);
    this.status = status;
  }
}

/** A request's body is larger than its reader allows; unless the handler catches it the answer is 413. */
export class BodyTooLargeError extends HTTPInputError {
  constructor(maxBytes: number) {
    super(`the request's body is larger than ${maxBytes} bytes`, 413, "BODY_TOO_LARGE");
  }
}

/**
 * Handlers hold as many bytes of bodies as `bodiesBytesMax` allows; unless the handler catches it the answer is 503.
 */
export class BodiesFullError extends HTTPInputError {
  constructor(maxBytes: number) {
    super(`handlers hold ${maxBytes} bytes of bodies, which is all that they may`, 503, "BODIES_FULL");
  }
}

/** The handler's answer is not one that can be sent: answered twice, or more or fewer bytes than its Content-Length. */
export class HTTPOutputError extends WaterspoutError {
  constructor(message: string) {
    super("HTTP_OUTPUT", message);
  }
}

/**
 * A handler has ended without an answer, or has given what is none; the client gets 500. The message says which
 * handler, and what it gave.
 */
export class NoAnswerError extends WaterspoutError {
  constructor(message: string) {
    super("NO_ANSWER", message);
  }
}

/** A status, a header's name or a header's value that must not be sent. */
export class HeaderError extends WaterspoutError {
  constructor(message: string) {
    super("INVALID_HEADER", message);
  }
}

/** An option or an argument that is not of its kind or not within its bounds. */
export class OptionError extends WaterspoutError {
  constructor(message: string) {
    super("INVALID_OPTION", message);
  }
}

/** A file for TLS that is missing, unreadable, not what it should be, or no match for another. */
export class TLSConfigError extends WaterspoutError {
  /** The path of the file. */
  readonly path: string;

  constructor(path: string, message: string, options?: ErrorOptions) {
    super("TLS_CONFIG", message, options);
    this.path = path;
  }
}

/**
 * `startTls` did not come to an agreement, for the reason in its message; the stream is closed. `cause` is what OpenSSL
 * or Node reported.
 */
export class TLSHandshakeError extends WaterspoutError {
  constructor(message: string, options?: ErrorOptions) {
    super("TLS_HANDSHAKE", `the TLS handshake failed: ${message}`, options);
  }
}

/** Something that needs a stream on which nothing is pending: no read, no write that has not been sent, no TLS. */
export class StreamNotIdleError extends WaterspoutError {
  constructor(message: string) {
    super("STREAM_NOT_IDLE", `the stream is not idle: ${message}`);
  }
}

/** The sandbox has broken the protocol; its worker is ended. */
export class ProtocolError extends WaterspoutError {
  constructor(message: string) {
    super("PROTOCOL", `malformed frame from the sandbox: ${message}`);
  }
}

/** A worker has ended, could not be started, or was started again too often. */
export class WorkerError extends WaterspoutError {
  constructor(message: string, options?: ErrorOptions) {
    super("WORKER", message, options);
  }
}

const BIND_EXPLANATIONS: Record<string, string> = {
  EADDRINUSE: "the address is already in use",
  EACCES: "there is no permission for it",
  EADDRNOTAVAIL: "this machine has no such address",
  EAFNOSUPPORT: "this machine does not have this kind of address",
  ENOTFOUND: "there is no such host name",
  ENOTSOCK: "there is a file of this name that is no socket",
  ENOENT: "the folder for it does not exist",
  ENOTDIR: "the folder for it does not exist",
  ENAMETOOLONG: "the path is longer than a socket's may be",
};

/**
 * A port or a path that cannot be listened on. `code` is the system's: `"EADDRINUSE"`, `"EACCES"`, `"EADDRNOTAVAIL"`, …
 */
export class BindError extends WaterspoutError {
  /** The IP address or host name; the path of a Unix-domain socket. */
  readonly address: string;
  /** Null for a Unix-domain socket. */
  readonly port: number | null;

  constructor(code: string, address: string, port: number | null) {
    const host = address.includes(":") ? `[${address}]` : address;
    const where = port === null ? address.replace(/^\0/, "@") : `${host}:${port}`;
    super(code, `cannot listen on ${where}: ${BIND_EXPLANATIONS[code] ?? "the system refused"} (${code})`);
    this.address = address;
    this.port = port;
  }
}

/** The chosen runtime cannot run here: no wasmtime, another version of it, or no core.wasm. */
export class RuntimeUnavailableError extends WaterspoutError {
  constructor(message: string, options?: ErrorOptions) {
    super("RUNTIME_UNAVAILABLE", message, options);
  }
}

/** The command, a setting or a file of settings was used in a way that cannot work. The message names it. */
export class UsageError extends WaterspoutError {
  constructor(message: string, options?: ErrorOptions) {
    super("USAGE", message, options);
  }
}

/** Also true for one of another copy of this package, which an application may have loaded. */
export function isUsageError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && error.code === "USAGE";
}

/**
 * The loop is not in the state that a call needs: running already, closed, or a target that is watched twice or not at
 * all.
 */
export class IOLoopError extends WaterspoutError {
  constructor(message: string) {
    super("IOLOOP", message);
  }
}

/** Something took longer than it was given. */
export class TimeoutError extends WaterspoutError {
  constructor(message: string) {
    super("TIMEOUT", message);
  }
}

/** Where the time of a connection attempt was spent. */
export type ConnectPhase = "resolving" | "connecting" | "handshake";

/** A connection was not there in time. `phase` says what it was waiting for, the message which host. */
export class ConnectTimeoutError extends TimeoutError {
  /** What the attempt was waiting for. */
  readonly phase: ConnectPhase;

  constructor(phase: ConnectPhase, message: string) {
    super(message);
    this.phase = phase;
  }
}

/**
 * A connection that could not be made. `code` is the system's, of the first address that was tried: `"ECONNREFUSED"`,
 * `"ENOTFOUND"`, …; the message names every address, and `cause` is the system's error.
 */
export class ConnectError extends WaterspoutError {}

/** The error that a pending read gets for a reason of the sandbox. */
export function readError(reason: Reason): WaterspoutError {
  if (reason === "TOO_LONG") return new UnsatisfiableReadError();
  if (reason === "BUFFER_FULL") return new StreamBufferFullError();
  if (reason === "BUSY") return new AlreadyReadingError();
  return reason === "END" ? endOfStream() : new StreamClosedError(reason);
}

/** Nearly every connection ends with one. It has no stack: that would only show how frames are read, and costs 4 µs. */
function endOfStream(): StreamClosedError {
  const limit: unknown = Reflect.get(Error, "stackTraceLimit"); // of the engine, not of the language
  if (!Reflect.set(Error, "stackTraceLimit", 0)) return new StreamClosedError("END");
  const error = new StreamClosedError("END");
  Reflect.set(Error, "stackTraceLimit", limit);
  return error;
}
