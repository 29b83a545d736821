// Where a component listens: --address, --port and --backlog of its command line; else WATERSPOUT_ADDRESS,
// WATERSPOUT_PORT and WATERSPOUT_BACKLOG of its environment; else 127.0.0.1, 8888 and 4096. A component whose handler
// is another one also takes --answer-timeout-ms, or WATERSPOUT_ANSWER_TIMEOUT_MS. What stands behind `--` is the
// application's.
//
// Invariant: what is not understood is said in one sentence, and then nothing listens. All of it happens once, at the
// start.

import { Address } from "../../core/address";
import { ANSWER_TIMEOUT_MS_MAX, LISTEN_BACKLOG, LISTEN_BACKLOG_MAX } from "../../core/limits";
import { parseHost } from "../../core/addresstext";
import { release } from "./memory";

/** Where to listen. */
export const address: Address = new Address();
export let backlog: i32 = LISTEN_BACKLOG;
/** For an answer to begin; 0: any time. */
export let answerTimeoutMs: i32 = 0;
let takesAnswerTimeout: bool = false;

/** The component keeps to --answer-timeout-ms, by default `presetMs`. To be called before the settings are read. */
export function takeAnswerTimeout(presetMs: i32): void {
  takesAnswerTimeout = true;
  answerTimeoutMs = presetMs;
}

const ANSWER_TIMEOUT: string = "answer-timeout-ms";

let problem: string | null = null;

/**
 * Reads the two lists at `lists`, as WASI hands them over: the environment's pairs of texts and the command line's
 * texts, the program's name first. Gives their memory back. Returns what is wrong with them, null: nothing.
 */
export function readSettings(lists: usize): string | null {
  const environment = load<usize>(lists);
  const entries = load<i32>(lists, 4);
  const texts = load<usize>(lists, 8);
  const count = load<i32>(lists, 12);
  address.port = 8888;
  setHost("127.0.0.1");
  const prefix = "WATERSPOUT_";
  for (let i = 0; i < entries; i++) {
    const entry = environment + (usize(i) << 4);
    const name = textAt(entry);
    const value = textAt(entry + 8);
    if (name.startsWith(prefix)) set(name.substring(prefix.length).toLowerCase().replaceAll("_", "-"), value, name);
  }
  release(environment, usize(entries));
  let isOver = false; // what follows is for the application
  let waiting: string | null = null; // the option that the next text is the value of
  for (let i = 0; i < count; i++) {
    const text = textAt(texts + (usize(i) << 3));
    if (!i || isOver) continue;
    const equals = text.indexOf("=");
    if (waiting) {
      set(waiting.substring(2), text, waiting);
      waiting = null;
    } else if (text == "--") isOver = true;
    else if (!text.startsWith("--")) refuse("unexpected argument " + text);
    else if (equals < 0) waiting = text;
    else set(text.substring(2, equals), text.substring(equals + 1), text.substring(0, equals));
    if (waiting && !isKnown(waiting.substring(2))) refuse("unknown option " + waiting);
  }
  release(texts, usize(count));
  if (waiting) refuse(waiting + " needs a value");
  return problem;
}

/** Why it does not listen there: the runtime denies it, no interface has the address, it is in use, or else. */
export function cannotListen(isDenied: bool, isAbsent: bool, isTaken: bool): string {
  let why = "the system refuses";
  if (isDenied) why = "access denied; a runtime grants the network with -S inherit-network";
  else if (isAbsent) why = "this machine does not have the address";
  else if (isTaken) why = "the address is in use";
  return "cannot listen on " + address.toString() + ": " + why;
}

/** The text that the pair of words at `pair` describes; its memory is given back. */
function textAt(pair: usize): string {
  const at = load<usize>(pair);
  const size = load<usize>(pair, 4);
  const text = String.UTF8.decodeUnsafe(at, size);
  release(at, size);
  return text;
}

function isKnown(name: string): bool {
  if (name == ANSWER_TIMEOUT) return takesAnswerTimeout;
  return name == "address" || name == "port" || name == "backlog";
}

/** `given` is what the user has called it. */
function set(name: string, value: string, given: string): void {
  if (name == "address") {
    if (!setHost(value)) refuse(given + " must be an IPv4 or IPv6 address, not " + value);
  } else if (name == "port") {
    address.port = numberOf(value, 65535);
    if (address.port < 1) refuse(given + " must be a number from 1 to 65535, not " + value);
  } else if (name == "backlog") {
    backlog = numberOf(value, LISTEN_BACKLOG_MAX);
    if (backlog < 1) refuse(given + " must be a number from 1 to " + LISTEN_BACKLOG_MAX.toString() + ", not " + value);
  } else if (name == ANSWER_TIMEOUT && takesAnswerTimeout) {
    answerTimeoutMs = numberOf(value, ANSWER_TIMEOUT_MS_MAX);
    const most = ANSWER_TIMEOUT_MS_MAX.toString();
    if (answerTimeoutMs < 0) refuse(given + " must be a number from 0 to " + most + ", not " + value);
  } else if (given.startsWith("--")) refuse("unknown option " + given);
}

/** Only the first thing that is wrong is reported. */
function refuse(what: string): void {
  const lacks = "; a component has one address and one worker, no TLS, no folders and no Unix sockets";
  if (!problem) problem = what + (what.startsWith("un") ? lacks : "");
}

function setHost(text: string): bool {
  const bytes = String.UTF8.encode(text);
  return parseHost(changetype<usize>(bytes), bytes.byteLength, address);
}

/** -1: it is none from 0 to `most`. */
function numberOf(text: string, most: i32): i32 {
  if (text.length == 0 || text.length > 9) return -1;
  for (let i = 0; i < text.length; i++) if (u32(text.charCodeAt(i)) - 0x30 > 9) return -1;
  const value = I32.parseInt(text);
  return value <= most ? value : -1;
}
