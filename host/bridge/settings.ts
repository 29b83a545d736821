/**
 * The settings that the frame CONFIG brings a worker when it starts (docs/protocol.md), and those of the bridge itself.
 *
 * Invariant: behind `resolveBridge` every number is within its range; 0 is one that was not given, for which the
 * sandbox has its own default.
 */
import { UINT31_MAX, wholeNumber } from "../core/check.js";
import {
  BODY_BYTES_MAX,
  BODY_WINDOW_BYTES,
  CONNECTIONS_MAX,
  MEMORY_BYTES_MAX,
  MEMORY_BYTES_MIN,
  WINDOW_BYTES_MIN,
  WRITE_BUFFER_BYTES_MAX,
  WRITE_WINDOW_BYTES,
} from "../core/limits.js";
import { defaultLogger, type Logger } from "../core/log.js";
import { CONNECTION_BYTES, memoryShare, SANDBOX_SHARE } from "../core/memorybudget.js";

/** Options of every server that its bridge knows. */
export interface BridgeOptions {
  /** Any pino-shaped logger. Default: one line on stderr for warnings and errors. */
  logger?: Logger | undefined;
  /**
   * Every connection begins with a PROXY protocol header (version 1 or 2), and its address is the one in that header.
   * Only for servers that only a trusted proxy can reach. Default: false.
   */
  proxyProtocol?: boolean | undefined;
  /** Open connections of one worker; more wait in the kernel. */
  connectionsMax?: number | undefined;
  /** Bytes of one request's body; more is answered with 413. Default 16 MiB. */
  bodyBytesMax?: number | undefined;
  /** Bytes of one request's head; more is answered with 431. */
  headBytesMax?: number | undefined;
  /** Milliseconds for a request's whole head. */
  headerTimeoutMs?: number | undefined;
  /** Milliseconds between two requests of a connection. For streams the default is no limit. */
  idleTimeoutMs?: number | undefined;
  /** Longest silence inside a request's body, in milliseconds. */
  bodyTimeoutMs?: number | undefined;
  /**
   * Bytes a second of a request's body that must come; a peer that falls behind this by `bodyTimeoutMs` is answered
   * with 408. Time in which the handler does not read does not count.
   */
  bodyRateBytesMin?: number | undefined;
  /** Longest time, in milliseconds, that a peer may take nothing of what waits for it. */
  writeTimeoutMs?: number | undefined;
  /**
   * A peer that has ended its side may still wait for an answer. It counts as gone, and is closed with `"END"`, when
   * nothing was sent to it for so long, in milliseconds. Default 30,000.
   */
  halfCloseTimeoutMs?: number | undefined;
  /**
   * For HTTP: bytes a second that a peer must take of what waits for it; one that falls behind by `writeTimeoutMs` is
   * cut.
   */
  writeRateBytesMin?: number | undefined;
  /** Requests of one connection; the last answer closes it. */
  requestsMax?: number | undefined;
  /** Bytes that one read of a stream may need to hold. */
  bufferBytesMax?: number | undefined;
  /**
   * Bytes of all buffers in one worker's sandbox, 1 MiB to 2 GiB: near it, requests are answered with 503. Default 1
   * GiB, less where the process may take little memory.
   */
  memoryBytesMax?: number | undefined;
  /**
   * Bytes that may wait in this process for one slow peer. A write of a stream beyond it throws StreamBufferFullError;
   * one of an answer cuts the answer as well; a websocket is closed with 1013. Default 16 MiB, and less when 256 MiB
   * wait for all peers together.
   */
  writeBufferBytesMax?: number | undefined;
  /** Bytes of a request's body that are sent to the host before the handler has taken any. Default 256 KiB. */
  bodyWindow?: number | undefined;
  /** Bytes of one stream or response that the host sends ahead of the peer. Default 256 KiB. */
  writeWindow?: number | undefined;
}

/** Of each number: the least, the most, and what it is when it is not given. */
const RANGES = {
  connectionsMax: [1, UINT31_MAX, 0],
  bodyBytesMax: [1, Number.MAX_SAFE_INTEGER, BODY_BYTES_MAX],
  headBytesMax: [1, UINT31_MAX, 0],
  headerTimeoutMs: [1, UINT31_MAX, 0],
  idleTimeoutMs: [1, UINT31_MAX, 0],
  bodyTimeoutMs: [1, UINT31_MAX, 0],
  bodyRateBytesMin: [1, UINT31_MAX, 0],
  writeTimeoutMs: [1, UINT31_MAX, 0],
  halfCloseTimeoutMs: [1, UINT31_MAX, 0],
  writeRateBytesMin: [1, UINT31_MAX, 0],
  requestsMax: [1, UINT31_MAX, 0],
  bufferBytesMax: [1, UINT31_MAX, 0],
  memoryBytesMax: [MEMORY_BYTES_MIN, UINT31_MAX, 0],
  writeBufferBytesMax: [1, Number.MAX_SAFE_INTEGER, WRITE_BUFFER_BYTES_MAX],
  bodyWindow: [WINDOW_BYTES_MIN, UINT31_MAX, BODY_WINDOW_BYTES],
  writeWindow: [WINDOW_BYTES_MIN, UINT31_MAX, WRITE_WINDOW_BYTES],
} as const satisfies { [name in keyof BridgeOptions]: readonly [number, number, number] };

/** The numbers, checked; 0: the sandbox's own default. */
type Limits = { readonly [name in keyof Pick<BridgeOptions, keyof typeof RANGES>]-?: number };

/** The same, complete and checked. */
export interface BridgeSettings extends Limits {
  /** Whether every connection begins with a PROXY protocol header. */
  readonly proxyProtocol: boolean;
  /** Where faults are reported. */
  readonly logger: Logger;
}

/** Checks `options` and fills in the defaults, for so many workers. Throws OptionError. */
export function resolveBridge(options: BridgeOptions, workers = 1): BridgeSettings {
  // The workers share the room that there is; without a limit each may have as much as one alone.
  const memoryBytes = memoryShare(SANDBOX_SHARE * workers, MEMORY_BYTES_MAX);
  const shares: Partial<Limits> = {
    connectionsMax: memoryShare(CONNECTION_BYTES, CONNECTIONS_MAX),
    memoryBytesMax: Math.max(MEMORY_BYTES_MIN, memoryBytes),
  };
  const limits = Object.entries(RANGES).map(([name, [min, max, preset]]) => {
    const value = options[name as keyof Limits];
    return [name, value === undefined ? (shares[name as keyof Limits] ?? preset) : wholeNumber(name, value, min, max)];
  });
  return {
    ...(Object.fromEntries(limits) as Limits),
    proxyProtocol: options.proxyProtocol ?? false,
    logger: options.logger ?? defaultLogger,
  };
}
