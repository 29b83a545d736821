/**
 * What a server can be told: defaults, bounds, and where each is checked. Invariant: behind `resolveOptions` every
 * value is within its range, and 0 means "the sandbox's own default" (docs/protocol.md, CONFIG).
 */
import type { BlockList } from "node:net";
import { OptionError } from "../core/errors.js";
import {
  BODY_BYTES_MAX,
  BODY_WINDOW_BYTES,
  MEMORY_BYTES_MIN,
  READ_CHUNK_BYTES,
  WINDOW_BYTES_MIN,
  WRITE_BUFFER_BYTES_MAX,
  WRITE_WINDOW_BYTES,
} from "../core/limits.js";
import { defaultLogger, type Logger } from "../core/log.js";
import { type RuntimeName, resolveRuntime } from "../core/runtimename.js";
import { LOOPBACK, trustedPeers } from "../core/trustedpeers.js";
import { type AccessLog, type AccessLogOption, resolveAccessLog } from "../http/accesslog.js";
import { type Compression, type CompressionOptions, resolveCompression } from "../http/compression/options.js";
import { type FormLimits, type ResolvedFormLimits, resolveFormLimits } from "../http/form/limits.js";
import type { ForwardTrust } from "../http/forwarded.js";
import { bodiesBytesMaxDefault } from "../http/heldbodies.js";
import { type SSLOptions, TLSContexts } from "../tls/contexts.js";
import { type InspectOptions, type ResolvedInspect, resolveInspect } from "./inspectoptions.js";

/** Options of every server. A limit or time that is not given takes the sandbox's default (docs/limits.md). */
export interface ServerOptions {
  /**
   * Who runs the sandbox: `"node"`, inside this process, or `"wasmtime"`, child processes that own the sockets.
   * Default: `$WATERSPOUT_RUNTIME`, else `"node"`.
   */
  runtime?: RuntimeName | undefined;
  /** Number of wasmtime processes, 1 to 64. Default 1. */
  workers?: number | undefined;
  /** Any pino-shaped logger. Default: one line on stderr for warnings and errors. */
  logger?: Logger | undefined;
  /**
   * One entry for each request: `"text"` or `"json"` on stderr, a function that takes it, or a pino-shaped logger whose
   * `info` is called. Default: `$WATERSPOUT_ACCESS_LOG`, else `"off"`.
   */
  accessLog?: AccessLogOption | undefined;
  /**
   * A live page, metrics and health of the server on a port of its own: `true` for http://127.0.0.1:8889/, or where.
   * Its URL is told on stderr, or to `logger.info`. Default: false.
   */
  inspect?: boolean | InspectOptions | undefined;
  /**
   * Every connection begins with a PROXY protocol header (version 1 or 2), and its address is what that says. Only for
   * servers that nobody but a trusted proxy can reach. Default: false.
   */
  proxyProtocol?: boolean | undefined;
  /**
   * With `proxyProtocol`: the addresses, or networks like `"10.0.0.0/8"`, that connections are taken from; others are
   * closed unread. Default: the loopback ones. Only for the runtime `"node"`: wasmtime does not tell who connects.
   */
  trustedProxies?: readonly string[] | undefined;
  /** Connections speak TLS: with this certificate, its key, and what else there is to say about it. */
  sslOptions?: SSLOptions | undefined;
  /**
   * Who sent a request and over what is what the header fields of the proxies in front say: X-Real-Ip, X-Forwarded-For,
   * X-Scheme, X-Forwarded-Proto; with `"forwarded"` Forwarded (RFC 7239) instead. Only from proxies of this machine and
   * `trustedDownstream`; with the runtime `"wasmtime"`, without TLS and the PROXY protocol, from whoever can connect:
   * it does not tell who does. Default: false.
   */
  xheaders?: boolean | "forwarded" | undefined;
  /** With `xheaders`: the proxies' addresses, or networks like `"10.0.0.0/8"`. Default: the loopback ones. */
  trustedDownstream?: readonly string[] | undefined;
  /** Answers are compressed with what their client accepts: br, gzip or deflate. Default: false. */
  compressResponse?: boolean | CompressionOptions | undefined;
  /** A request's body that comes as gzip is inflated; `bodyBytesMax` holds for both of its sizes. Default: false. */
  decompressRequest?: boolean | undefined;
  /** Bounds of `readForm`. */
  formLimits?: FormLimits | undefined;
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
   * Bytes of all requests' bodies that handlers of this process hold at once (`readBody`, `readForm`, `Request.text()`,
   * …); the request that does not fit is answered with 503. Bodies that are read block by block do not count. Default:
   * a quarter of V8's heap limit.
   */
  bodiesBytesMax?: number | undefined;
  /**
   * Bytes of all buffers in one worker's sandbox, 1 MiB to 2 GiB: near it, requests are answered with 503. Default 1
   * GiB.
   */
  memoryBytesMax?: number | undefined;
  /** Bytes that the iteration over a stream and its conversions take at a time. Default 64 KiB. */
  readChunkBytes?: number | undefined;
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

type Limit =
  | "connectionsMax"
  | "headBytesMax"
  | "headerTimeoutMs"
  | "idleTimeoutMs"
  | "bodyTimeoutMs"
  | "bodyRateBytesMin"
  | "writeTimeoutMs"
  | "halfCloseTimeoutMs"
  | "writeRateBytesMin"
  | "requestsMax"
  | "bufferBytesMax"
  | "memoryBytesMax"
  | "bodiesBytesMax"
  | "readChunkBytes"
  | "writeBufferBytesMax"
  | "bodyBytesMax"
  | "bodyWindow"
  | "writeWindow";

/** The same, complete and checked. */
export type ResolvedOptions = Readonly<Record<Limit, number>> & {
  readonly runtime: RuntimeName;
  readonly workers: number;
  readonly proxyProtocol: boolean;
  /** Who may connect; null: everybody, as far as is known here. */
  readonly trusted: BlockList | null;
  readonly tls: TLSContexts | null;
  readonly forward: ForwardTrust | null;
  readonly compression: Compression | null;
  readonly decompressRequest: boolean;
  readonly formLimits: ResolvedFormLimits;
  readonly logger: Logger;
  /** Null: nobody wants to know. */
  readonly accessLog: AccessLog | null;
  /** Null: nobody may look. */
  readonly inspect: ResolvedInspect | null;
};

const UINT31_MAX = 0x7fffffff;
const WORKERS_MAX = 64;

/** Checks `options` and fills in the defaults. Throws OptionError that names the option. */
export function resolveOptions(options: ServerOptions): ResolvedOptions {
  const runtime = resolveRuntime(options.runtime);
  const logger = options.logger ?? defaultLogger;
  return {
    runtime,
    workers: integer("workers", options.workers, 1, WORKERS_MAX, 1),
    proxyProtocol: options.proxyProtocol ?? false,
    trusted: trusted(options, runtime),
    tls: tls(options),
    forward: forward(options, runtime),
    compression: resolveCompression(options.compressResponse),
    decompressRequest: options.decompressRequest ?? false,
    formLimits: resolveFormLimits(options.formLimits),
    logger,
    inspect: resolveInspect(options.inspect),
    accessLog: resolveAccessLog(options.accessLog ?? (process.env.WATERSPOUT_ACCESS_LOG || "off"), logger),
    connectionsMax: integer("connectionsMax", options.connectionsMax, 1, UINT31_MAX, 0),
    bodyBytesMax: integer("bodyBytesMax", options.bodyBytesMax, 1, Number.MAX_SAFE_INTEGER, BODY_BYTES_MAX),
    headBytesMax: integer("headBytesMax", options.headBytesMax, 1, UINT31_MAX, 0),
    headerTimeoutMs: integer("headerTimeoutMs", options.headerTimeoutMs, 1, UINT31_MAX, 0),
    idleTimeoutMs: integer("idleTimeoutMs", options.idleTimeoutMs, 1, UINT31_MAX, 0),
    bodyTimeoutMs: integer("bodyTimeoutMs", options.bodyTimeoutMs, 1, UINT31_MAX, 0),
    bodyRateBytesMin: integer("bodyRateBytesMin", options.bodyRateBytesMin, 1, UINT31_MAX, 0),
    writeTimeoutMs: integer("writeTimeoutMs", options.writeTimeoutMs, 1, UINT31_MAX, 0),
    halfCloseTimeoutMs: integer("halfCloseTimeoutMs", options.halfCloseTimeoutMs, 1, UINT31_MAX, 0),
    writeRateBytesMin: integer("writeRateBytesMin", options.writeRateBytesMin, 1, UINT31_MAX, 0),
    requestsMax: integer("requestsMax", options.requestsMax, 1, UINT31_MAX, 0),
    bufferBytesMax: integer("bufferBytesMax", options.bufferBytesMax, 1, UINT31_MAX, 0),
    memoryBytesMax: integer("memoryBytesMax", options.memoryBytesMax, MEMORY_BYTES_MIN, UINT31_MAX, 0),
    bodiesBytesMax: integer(
      "bodiesBytesMax",
      options.bodiesBytesMax,
      1,
      Number.MAX_SAFE_INTEGER,
      bodiesBytesMaxDefault(),
    ),
    readChunkBytes: integer("readChunkBytes", options.readChunkBytes, 1, UINT31_MAX, READ_CHUNK_BYTES),
    writeBufferBytesMax: integer(
      "writeBufferBytesMax",
      options.writeBufferBytesMax,
      1,
      Number.MAX_SAFE_INTEGER,
      WRITE_BUFFER_BYTES_MAX,
    ),
    bodyWindow: integer("bodyWindow", options.bodyWindow, WINDOW_BYTES_MIN, UINT31_MAX, BODY_WINDOW_BYTES),
    writeWindow: integer("writeWindow", options.writeWindow, WINDOW_BYTES_MIN, UINT31_MAX, WRITE_WINDOW_BYTES),
  };
}

function trusted(options: ServerOptions, runtime: RuntimeName): BlockList | null {
  const { proxyProtocol = false, trustedProxies } = options;
  if (trustedProxies !== undefined && !proxyProtocol) throw new OptionError("trustedProxies needs proxyProtocol");
  if (trustedProxies !== undefined && runtime === "wasmtime") {
    throw new OptionError(
      "trustedProxies cannot be held to with the runtime wasmtime, which does not tell who connects",
    );
  }
  return proxyProtocol && runtime === "node" ? trustedPeers("trustedProxies", trustedProxies) : null;
}

function forward(options: ServerOptions, runtime: RuntimeName): ForwardTrust | null {
  const { xheaders = false, trustedDownstream } = options;
  if (trustedDownstream !== undefined && xheaders === false) throw new OptionError("trustedDownstream needs xheaders");
  if (xheaders === false) return null;
  if (xheaders !== true && xheaders !== "forwarded") {
    throw new OptionError(`xheaders must be true, false or "forwarded", not ${JSON.stringify(xheaders)}`);
  }
  const proxies = trustedPeers("trustedDownstream", trustedDownstream);
  const peers = trustedPeers("trustedDownstream", [...LOOPBACK, ...(trustedDownstream ?? [])]);
  // WASI preview1 has no addresses. With TLS this process accepts, with the PROXY protocol a header tells.
  const anonymous = runtime === "wasmtime" && options.sslOptions === undefined && options.proxyProtocol !== true;
  return { proxies, peers, standard: xheaders === "forwarded", anonymous };
}

function tls(options: ServerOptions): TLSContexts | null {
  if (options.sslOptions === undefined) return null;
  if (options.proxyProtocol) throw new OptionError("sslOptions and proxyProtocol cannot be used together");
  return new TLSContexts(options.sslOptions);
}

function integer(name: string, value: number | undefined, min: number, max: number, preset: number): number {
  if (value === undefined) return preset;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new OptionError(`${name} must be a whole number from ${min} to ${max}, not ${String(value)}`);
}
