/**
 * permessage-deflate: what a client offers, what the server agrees to (RFC 7692 7.1), and the two directions that
 * follow.
 *
 * Invariant: an offer is taken as a whole or not at all: a parameter that is not known, stands twice or has a value
 * that it cannot have declines its offer, and the next one is looked at.
 */
import { wholeNumber } from "../core/check.js";
import { OWS, TOKEN } from "../core/grammar.js";
import { canTakeOver, type DeflateParameters, HAS_DEFLATE, type ZlibParameters } from "./deflate.js";

/** What `getCompressionOptions` returns; every part may be left out. */
export interface MessageCompressionOptions {
  /** zlib's level, 0 to 9. Default 6. */
  compressionLevel?: number;
  /** zlib's memLevel, 1 to 9. Default 8. */
  memLevel?: number;
  /** Messages below so many bytes are sent as they are. Default 1,024. */
  thresholdBytes?: number;
  /**
   * Each message is compressed by itself, to and from the client: worse compression, no memory between messages.
   * Default: false; in Deno always true.
   */
  noContextTakeover?: boolean;
  /** The largest window of either side, 9 to 15. Default 15. */
  maxWindowBits?: number;
}

/** What both sides have agreed on. */
export interface Agreement {
  /** The value of the answer's Sec-WebSocket-Extensions. */
  readonly header: string;
  readonly deflate: DeflateParameters;
  readonly inflate: ZlibParameters;
  readonly thresholdBytes: number;
}

const NAME = "permessage-deflate";
const THRESHOLD_BYTES = 1024;
const WINDOW_BITS_MAX = 15;
/** zlib cannot deflate with a window of 256 bytes. */
const WINDOW_BITS_MIN = 9;

/** An extension with its parameters: a name and its value, or true without one. */
export interface Offer {
  readonly name: string;
  readonly parameters: readonly (readonly [string, string | true])[];
}

/** A parameter's value is a token, or a quoted string that holds one (RFC 6455 9.1). */
const PARAMETER = new RegExp(`${OWS};${OWS}(${TOKEN})`, "y");
const VALUE = new RegExp(`${OWS}=${OWS}(?:(${TOKEN})|"(${TOKEN})")`, "y");
const EXTENSION = new RegExp(`${OWS}(${TOKEN})`, "y");
const SEPARATOR = new RegExp(`${OWS}(?:,|$)`, "y");

/** Reads the value of Sec-WebSocket-Extensions; null when it is malformed. */
export function parseExtensions(value: string): Offer[] | null {
  const offers: Offer[] = [];
  let at = 0;
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(value);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < value.length) {
    const extension = next(EXTENSION);
    if (extension === null) return null;
    const parameters: [string, string | true][] = [];
    for (let found = next(PARAMETER); found !== null; found = next(PARAMETER)) {
      const value = next(VALUE);
      parameters.push([found[1] as string, value?.[1] ?? value?.[2] ?? true]);
    }
    offers.push({ name: extension[1] as string, parameters });
    if (next(SEPARATOR) === null) return null;
  }
  return offers;
}

/** The first offer that can be kept, null when there is none. Throws OptionError for options out of their range. */
export function negotiate(offers: readonly Offer[], options: MessageCompressionOptions): Agreement | null {
  const own = {
    level: wholeNumber("compressionLevel", options.compressionLevel ?? 6, 0, 9),
    memLevel: wholeNumber("memLevel", options.memLevel ?? 8, 1, 9),
    thresholdBytes: wholeNumber(
      "thresholdBytes",
      options.thresholdBytes ?? THRESHOLD_BYTES,
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    windowBits: wholeNumber(
      "maxWindowBits",
      options.maxWindowBits ?? WINDOW_BITS_MAX,
      WINDOW_BITS_MIN,
      WINDOW_BITS_MAX,
    ),
    takeover: options.noContextTakeover !== true && canTakeOver(),
  };
  if (!HAS_DEFLATE) return null;
  for (const { name, parameters } of offers) {
    const requested = name === NAME ? requestedOf(parameters) : null;
    if (requested !== null) return agree(requested, own);
  }
  return null;
}

interface Requested {
  serverTakeover: boolean;
  clientTakeover: boolean;
  serverBits: number;
  /** 0: the client does not say that it could do with less than the most. */
  clientBits: number;
}

interface Own {
  level: number;
  memLevel: number;
  thresholdBytes: number;
  windowBits: number;
  takeover: boolean;
}

/** Null when the offer has to be declined. */
function requestedOf(parameters: Offer["parameters"]): Requested | null {
  const requested = { serverTakeover: true, clientTakeover: true, serverBits: WINDOW_BITS_MAX, clientBits: 0 };
  if (new Set(parameters.map(([name]) => name)).size < parameters.length) return null;
  for (const [name, value] of parameters) {
    if (name === "server_no_context_takeover" && value === true) requested.serverTakeover = false;
    else if (name === "client_no_context_takeover" && value === true) requested.clientTakeover = false;
    else if (name === "server_max_window_bits" && bitsOf(value) >= WINDOW_BITS_MIN)
      requested.serverBits = bitsOf(value);
    else if (name === "client_max_window_bits" && value === true) requested.clientBits = WINDOW_BITS_MAX;
    else if (name === "client_max_window_bits" && bitsOf(value) > 0) requested.clientBits = bitsOf(value);
    else return null;
  }
  return requested;
}

/** 8 to 15, without leading zeros; 0 for anything else. */
function bitsOf(value: string | true): number {
  return value !== true && /^([89]|1[0-5])$/.test(value) ? Number(value) : 0;
}

function agree(requested: Requested, own: Own): Agreement {
  const { level, memLevel, thresholdBytes } = own;
  const serverTakeover = requested.serverTakeover && own.takeover;
  const clientTakeover = requested.clientTakeover && own.takeover;
  const serverBits = Math.min(requested.serverBits, own.windowBits);
  // A client that has not named the parameter must not be answered with it.
  const clientBits = requested.clientBits === 0 ? WINDOW_BITS_MAX : Math.min(requested.clientBits, own.windowBits);
  const header = [
    NAME,
    ...(serverTakeover ? [] : ["server_no_context_takeover"]),
    ...(clientTakeover ? [] : ["client_no_context_takeover"]),
    ...(serverBits < WINDOW_BITS_MAX ? [`server_max_window_bits=${serverBits}`] : []),
    ...(clientBits < WINDOW_BITS_MAX ? [`client_max_window_bits=${clientBits}`] : []),
  ].join("; ");
  return {
    header,
    deflate: { windowBits: serverBits, takeover: serverTakeover, level, memLevel },
    inflate: { windowBits: clientBits, takeover: clientTakeover },
    thresholdBytes,
  };
}
