/**
 * What a server does with requests and answers beside carrying them: compression, forms, bodies in memory, the access
 * log, and whose header fields it believes.
 */
import { wholeNumber } from "../core/check.js";
import { OptionError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import { LOOPBACK_NETWORKS, trustedPeers } from "../core/trustedpeers.js";
import { type AccessLog, type AccessLogOption, resolveAccessLog } from "./accesslog.js";
import { type Compression, type CompressionOptions, resolveCompression } from "./compression/options.js";
import { type FormLimits, type ResolvedFormLimits, resolveFormLimits } from "./form/limits.js";
import type { ForwardTrust } from "./forwarded.js";
import { bodiesBytesMaxDefault } from "./heldbodies.js";

/** 1: servers and applications are in debug mode, unless they say otherwise. */
export const DEBUG_VARIABLE = "WATERSPOUT_DEBUG";

/** Options of every server that its requests and answers know. */
export interface HTTPOptions {
  /**
   * One entry for each request: `"text"` or `"json"` on stderr, a function that takes it, or a pino-shaped logger whose
   * `info` is called. Default: `$WATERSPOUT_ACCESS_LOG`, else `"off"`.
   */
  accessLog?: AccessLogOption | undefined;
  /**
   * Each request has an id: `request.requestId`, X-Request-Id of its answer, and in the access log beside its trace.
   * With `xheaders` that of a trusted proxy is kept, if it is one of at most 128 characters. Default: false.
   */
  requestIds?: boolean | undefined;
  /**
   * A request's client and scheme are what the header fields of the proxies in front say: X-Real-Ip, X-Forwarded-For,
   * X-Scheme, X-Forwarded-Proto; with `"forwarded"` Forwarded (RFC 7239) instead. Only from proxies of this machine and
   * `trustedDownstream`; with the runtime `"wasmtime"`, without TLS and the PROXY protocol, from every peer: it does
   * not say where one is. Default: false.
   */
  xheaders?: boolean | "forwarded" | undefined;
  /** With `xheaders`: the proxies' addresses, or networks like `"10.0.0.0/8"`. Default: the loopback ones. */
  trustedDownstream?: readonly string[] | undefined;
  /**
   * The scheme that clients use, where a proxy ends TLS and does not say so: `request.protocol`, unless `xheaders` says
   * something else. Default: what the connection has.
   */
  protocol?: "http" | "https" | undefined;
  /** Answers are compressed with what their client accepts: zstd, br, gzip or deflate. Default: false. */
  compressResponse?: boolean | CompressionOptions | undefined;
  /** A request's body that comes as gzip is inflated; `bodyBytesMax` holds for both of its sizes. Default: false. */
  decompressRequest?: boolean | undefined;
  /** Bounds of `readForm`. */
  formLimits?: FormLimits | undefined;
  /**
   * Bytes of all requests' bodies that handlers of this process hold at once (`readBody`, `readForm`, `Request.text()`,
   * …); the request that does not fit is answered with 503. Bodies that are read block by block do not count. Default:
   * a quarter of V8's heap limit, less where the process may take little memory (docs/limits.md).
   */
  bodiesBytesMax?: number | undefined;
  /**
   * The answer to a request whose handler fails says where and why: source, causes, the request. Never where others can
   * reach it. Default: whether `$WATERSPOUT_DEBUG` is 1, which `waterspout dev` sets.
   */
  debug?: boolean | undefined;
}

/** The same, complete and checked. */
export interface HTTPSettings {
  /** Null: no answer is compressed. */
  readonly compression: Compression | null;
  /** Whether bodies that come as gzip are inflated. */
  readonly decompressRequest: boolean;
  /** Bounds of a form. */
  readonly formLimits: ResolvedFormLimits;
  /** Bytes of bodies that handlers may hold in memory, all requests together. */
  readonly bodiesBytesMax: number;
  /** Null: there is no access log. */
  readonly accessLog: AccessLog | null;
  /** Whether each request has an id. */
  readonly requestIds: boolean;
  /** Null: the header fields of proxies are not believed. */
  readonly forward: ForwardTrust | null;
  /** The scheme that clients use; null: that of the connection. */
  readonly protocol: "http" | "https" | null;
  /** Whether the answer to a failed request says where and why. */
  readonly debug: boolean;
}

/**
 * Checks `options` and fills in the defaults. `anonymous`: the server learns no client's address. Throws OptionError.
 */
export function resolveHTTP(options: HTTPOptions, logger: Logger, anonymous: boolean): HTTPSettings {
  const { bodiesBytesMax = bodiesBytesMaxDefault() } = options;
  return {
    compression: resolveCompression(options.compressResponse),
    decompressRequest: options.decompressRequest ?? false,
    formLimits: resolveFormLimits(options.formLimits),
    bodiesBytesMax: wholeNumber("bodiesBytesMax", bodiesBytesMax, 1, Number.MAX_SAFE_INTEGER),
    accessLog: resolveAccessLog(options.accessLog ?? (process.env.WATERSPOUT_ACCESS_LOG || "off"), logger),
    requestIds: options.requestIds ?? false,
    forward: forward(options, anonymous),
    protocol: scheme(options.protocol),
    debug: options.debug ?? isDebugDefault(),
  };
}

/** Whether servers and applications that do not say so themselves are in debug mode. */
export function isDebugDefault(): boolean {
  return process.env[DEBUG_VARIABLE] === "1";
}

function scheme(protocol: string | undefined): "http" | "https" | null {
  if (protocol === undefined) return null;
  if (protocol === "http" || protocol === "https") return protocol;
  throw new OptionError(`protocol must be "http" or "https", not ${JSON.stringify(protocol)}`);
}

function forward({ xheaders = false, trustedDownstream }: HTTPOptions, anonymous: boolean): ForwardTrust | null {
  if (trustedDownstream !== undefined && xheaders === false) throw new OptionError("trustedDownstream needs xheaders");
  if (xheaders === false) return null;
  if (xheaders !== true && xheaders !== "forwarded") {
    throw new OptionError(`xheaders must be true, false or "forwarded", not ${JSON.stringify(xheaders)}`);
  }
  const proxies = trustedPeers("trustedDownstream", trustedDownstream);
  const peers = trustedPeers("trustedDownstream", [...LOOPBACK_NETWORKS, ...(trustedDownstream ?? [])]);
  return { proxies, peers, standard: xheaders === "forwarded", anonymous };
}
