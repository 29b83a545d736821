/**
 * Every error that waterspout throws or rejects with: a class to catch and a `code` that stays the same over versions.
 * Reason codes travel in frames (docs/protocol.md, section Reasons; assembly/errors.ts holds the same numbers).
 */

/** Why the sandbox ended a stream, a read or a request: the number that travels in a frame. */
export const REASONS = {
  CLOSED: 1,
  END: 2,
  RESET: 3,
  TIMEOUT: 4,
  TOO_LONG: 5,
  BUFFER_FULL: 6,
  STOPPING: 7,
  IO: 8,
  BUSY: 9,
  BAD_RESPONSE: 10,
  BAD_REQUEST: 11,
  TOO_LARGE: 12,
} as const;

/** A reason by its name; `WORKER` is the host's own: the worker that held the connection has ended. */
export type Reason = keyof typeof REASONS | "WORKER";

const EXPLANATIONS: Record<Reason, string> = {
  CLOSED: "it was closed on this side",
  END: "the peer ended its side",
  RESET: "the connection was reset",
  TIMEOUT: "a time limit ran out",
  TOO_LONG: "the delimiter did not come within maxBytes",
  BUFFER_FULL: "a buffer is full",
  STOPPING: "the server stops and its grace is over",
  IO: "the socket failed",
  BUSY: "a read is already pending",
  BAD_RESPONSE: "the answer would have broken the connection's framing",
  BAD_REQUEST: "the rest of the request was malformed",
  TOO_LARGE: "the request's body is larger than allowed",
  WORKER: "its worker has ended",
};

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

/** The stream or the request's connection is gone. `reason` says why: `"END"`, `"RESET"`, `"TIMEOUT"`, … */
export class StreamClosedError extends WaterspoutError {
  readonly reason: Reason;

  constructor(reason: Reason) {
    super("STREAM_CLOSED", `the stream is closed: ${EXPLANATIONS[reason]}`);
    this.reason = reason;
  }
}

/** `readUntil` did not find its delimiter within `maxBytes`. The stream is closed. */
export class UnsatisfiableReadError extends WaterspoutError {
  constructor() {
    super("UNSATISFIABLE_READ", EXPLANATIONS.TOO_LONG);
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
    super("ALREADY_READING", EXPLANATIONS.BUSY);
  }
}

/** A request's body is larger than its reader allows; unless the handler catches it the answer is `status`. */
export class BodyTooLargeError extends WaterspoutError {
  readonly status = 413;

  constructor(maxBytes: number) {
    super("BODY_TOO_LARGE", `the request's body is larger than ${maxBytes} bytes`);
  }
}

/** The handler's answer is not one that can be sent: answered twice, or more or fewer bytes than its Content-Length. */
export class HTTPOutputError extends WaterspoutError {
  constructor(message: string) {
    super("HTTP_OUTPUT", message);
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
  EACCES: "there is no permission for this port",
  EADDRNOTAVAIL: "this machine has no such address",
  EAFNOSUPPORT: "this machine does not have this kind of address",
  ENOTFOUND: "there is no such host name",
};

/** A port that cannot be listened on. `code` is the system's: `"EADDRINUSE"`, `"EACCES"`, `"EADDRNOTAVAIL"`, … */
export class BindError extends WaterspoutError {
  readonly address: string;
  readonly port: number;

  constructor(code: string, address: string, port: number) {
    const where = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
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

/** The error that a pending read gets for a reason of the sandbox. */
export function readError(reason: Reason): WaterspoutError {
  if (reason === "TOO_LONG") return new UnsatisfiableReadError();
  if (reason === "BUFFER_FULL") return new StreamBufferFullError();
  if (reason === "BUSY") return new AlreadyReadingError();
  return new StreamClosedError(reason);
}
