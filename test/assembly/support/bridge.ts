// The host's end of the bridge, for tests: frames as text. What the sandbox sends reads `OPEN#1(100,0)
// DATA_END#1(hello)`: ids are numbered in the order in which they appear. MARKs are not shown but echoed.
import "../../../assembly/bridge/main"; // begins by being there
import * as frames from "../../../assembly/bridge/frames";
import { DRAIN_REQUEST_MS } from "../../../assembly/core/limits";
import { IOLoop } from "../../../assembly/loop/ioloop";
import { network } from "../../../assembly/wasi/sim/net";
import { settle, sleep, text } from "./sim";

let echoing: bool = false;
/** The last MARK that has come. */
export let marked: u32 = 0;
const ids: Array<u32> = [];

export function stopEchoing(): void {
  echoing = false;
}

/** The module runs and was sent this CONFIG, from which on the host may say something. */
export function begun(configuration: string): string {
  const ready = heard();
  assert(ready == "READY(1,1)", ready);
  echoing = true;
  return tell(configuration);
}

// --- numbers as text, a character a byte ---

export function u16s(value: i32): string {
  return String.fromCharCode(value & 0xff) + String.fromCharCode((value >> 8) & 0xff);
}

export function u32s(value: u32): string {
  return u16s(value & 0xffff) + u16s(value >> 16);
}

export function u64s(value: u64): string {
  return u32s(u32(value)) + u32s(u32(value >> 32));
}

// --- host to sandbox ---

export function frame(type: u32, id: u32, payload: string): string {
  return u32s((type << 24) | payload.length) + u32s(id) + payload;
}

/** The id that the tests call by this number. */
export function idOf(number: i32): u32 {
  return ids[number - 1];
}

/** Sends to the sandbox, settles, and tells what came back. */
export function tell(data: string): string {
  network().host.input.pushText(data);
  return heard();
}

export const STREAMS: i32 = 0;
export const HTTP: i32 = 1;

export function detach(number: i32): string {
  return frame(frames.FRAME_DETACH, idOf(number), "");
}

/** CONFIG, with the fields behind the fourth byte that differ from 0. */
export function config(
  kind: i32,
  bodyWindow: u32 = 0,
  idleTimeoutMs: u32 = 0,
  bufferBytesMax: u32 = 0,
  requestsMax: u32 = 0,
  bodyRateBytesMin: u32 = 0,
  writeRateBytesMin: u32 = 0,
  memoryBytesMax: u32 = 0,
  halfCloseTimeoutMs: u32 = 0,
  requestTimeoutMs: u32 = 0,
  idleBufferMs: u32 = 0,
): string {
  const head = u16s(frames.PROTOCOL_VERSION) + u16s(kind);
  const limits = u32s(0) + u64s(0) + u32s(0) + u32s(0) + u32s(idleTimeoutMs) + u32s(0) + u32s(0);
  const rates =
    u32s(requestsMax) +
    u32s(bodyRateBytesMin) +
    u32s(writeRateBytesMin) +
    u32s(memoryBytesMax) +
    u32s(halfCloseTimeoutMs) +
    u32s(requestTimeoutMs) +
    u32s(idleBufferMs);
  return frame(frames.FRAME_CONFIG, 0, head + limits + u32s(bufferBytesMax) + u32s(bodyWindow) + u32s(0) + rates);
}

export function echo(sequence: u32): string {
  return frame(frames.FRAME_ECHO, sequence, "");
}

export function stop(graceMs: u32, requestMs: u32 = DRAIN_REQUEST_MS): string {
  return frame(frames.FRAME_STOP, 0, u32s(graceMs) + u32s(requestMs));
}

export function response(
  number: i32,
  status: i32,
  flags: i32,
  length: i64,
  body: string,
  name: string = "",
  value: string = "",
): string {
  const rows = name.length ? 1 : 0;
  const head = u16s(status) + u16s(flags) + u16s(rows) + u16s(0) + u64s(length);
  const sizes = rows ? u16s(name.length) + u16s(value.length) : "";
  return frame(frames.FRAME_RESPONSE, idOf(number), head + sizes + name + value + body);
}

export function readUntil(number: i32, delimiter: string, maxBytes: u32 = 1000): string {
  return frame(frames.FRAME_READ_UNTIL, idOf(number), u32s(maxBytes) + delimiter);
}

export function readBytes(number: i32, bytes: u32, partial: u32 = 0): string {
  return frame(frames.FRAME_READ_BYTES, idOf(number), u32s(bytes) + u32s(partial));
}

export function write(number: i32, data: string): string {
  return frame(frames.FRAME_WRITE, idOf(number), data);
}

export function startTls(number: i32): string {
  return frame(frames.FRAME_START_TLS, idOf(number), "");
}

export function readRaw(number: i32, bytes: u32): string {
  return frame(frames.FRAME_READ_RAW, idOf(number), u32s(bytes));
}

export function feed(number: i32, data: string): string {
  return frame(frames.FRAME_FEED, idOf(number), data);
}

export function feedEnd(number: i32): string {
  return frame(frames.FRAME_FEED_END, idOf(number), "");
}

export function close(number: i32, how: u32): string {
  return frame(frames.FRAME_CLOSE, idOf(number), u32s(how));
}

// --- sandbox to host ---

/** Settles, and tells what the sandbox has said. */
export function heard(): string {
  settle();
  let said = "";
  let before = -1;
  while (before != said.length) {
    before = said.length;
    said += take(said.length > 0);
    settle();
  }
  return said;
}

/** The same after some time. */
export function heardAfter(milliseconds: i64): string {
  sleep(milliseconds);
  return heard();
}

/** Takes all whole frames out of the pipe. */
function take(more: bool): string {
  const output = network().host.output;
  let said = "";
  while (output.size >= 8) {
    const size = i32(load<u32>(output.source) & 0xffffff);
    assert(size <= frames.FRAME_BYTES_MAX, "a frame that is too large");
    if (output.size < size + 8) break;
    const type = load<u32>(output.source) >> 24;
    const id = load<u32>(output.source, 4);
    if (type == frames.FRAME_MARK) mark(id);
    else said += (said.length || more ? " " : "") + render(type, id, output.source + 8, size);
    output.drop(size + 8);
  }
  return said;
}

function mark(sequence: u32): void {
  assert(sequence == marked + 1, "MARKs count");
  marked = sequence;
  if (echoing) network().host.input.pushText(echo(sequence));
}

function render(type: u32, id: u32, source: usize, size: i32): string {
  return nameOf(type) + (id ? numberOf(id) : "") + "(" + detail(type, source, size) + ")";
}

function numberOf(id: u32): string {
  let at = ids.indexOf(id);
  if (at < 0) at = ids.push(id) - 1;
  return "#" + (at + 1).toString();
}

function nameOf(type: u32): string {
  switch (type) {
    case frames.FRAME_READY:
      return "READY";
    case frames.FRAME_DRAINED:
      return "DRAINED";
    case frames.FRAME_OPEN:
      return "OPEN";
    case frames.FRAME_DATA:
      return "DATA";
    case frames.FRAME_DATA_END:
      return "DATA_END";
    case frames.FRAME_SENT:
      return "SENT";
    case frames.FRAME_READ_FAILED:
      return "READ_FAILED";
    case frames.FRAME_CLOSED:
      return "CLOSED";
    case frames.FRAME_END:
      return "END";
    case frames.FRAME_RAW:
      return "RAW";
    case frames.FRAME_RAW_FAILED:
      return "RAW_FAILED";
    case frames.FRAME_REQUEST:
      return "REQUEST";
    case frames.FRAME_BODY:
      return "BODY";
    case frames.FRAME_BODY_END:
      return "BODY_END";
    case frames.FRAME_ABORT:
      return "ABORT";
    case frames.FRAME_WS_DATA:
      return "WS_DATA";
    case frames.FRAME_WS_PING:
      return "WS_PING";
    case frames.FRAME_WS_PONG:
      return "WS_PONG";
    case frames.FRAME_WS_CLOSED:
      return "WS_CLOSED";
    case frames.FRAME_WS_ENDING:
      return "WS_ENDING";
    case frames.FRAME_TRAILERS:
      return "TRAILERS";
    case frames.FRAME_REFUSED:
      return "REFUSED";
    case frames.FRAME_DETACHED:
      return "DETACHED";
    default:
      return "UNKNOWN " + type.toString();
  }
}

function detail(type: u32, source: usize, size: i32): string {
  switch (type) {
    case frames.FRAME_READY:
    case frames.FRAME_READ_FAILED:
    case frames.FRAME_RAW_FAILED:
    case frames.FRAME_CLOSED:
    case frames.FRAME_ABORT:
      return words(source, size);
    case frames.FRAME_OPEN:
      return load<u32>(source).toString() + "," + load<u16>(source, 4).toString();
    case frames.FRAME_SENT:
    case frames.FRAME_DETACHED:
      return load<u32>(source).toString();
    case frames.FRAME_REQUEST:
      return request(source, size);
    case frames.FRAME_WS_DATA:
      assert(load<u16>(source, 2) == 0, "not 0");
      return load<u8>(source).toString() + "," + load<u8>(source, 1).toString() + " " + text(source + 4, size - 4);
    case frames.FRAME_WS_CLOSED:
      return words(source, 4) + " " + text(source + 4, size - 4);
    case frames.FRAME_REFUSED:
      return refusal(source, size);
    case frames.FRAME_TRAILERS:
      return fields(source + usize(frames.TRAILERS_BYTES), i32(load<u16>(source)));
    default:
      return text(source, size);
  }
}

function words(source: usize, size: i32): string {
  const said: Array<string> = [];
  for (let at = 0; at < size; at += 2) said.push(load<u16>(source + at).toString());
  return said.join(",");
}

/** method code, minor version, flags, length, target|name=value|…|body */
function request(source: usize, size: i32): string {
  const rows = i32(load<u16>(source, 4));
  let said = load<u8>(source).toString() + "," + load<u8>(source, 1).toString() + "," + load<u16>(source, 2).toString();
  said += "," + load<i64>(source, 16).toString() + " ";
  let at = source + usize(frames.REQUEST_BYTES) + usize(rows * 4);
  const method = i32(load<u16>(source, 6));
  const target = i32(load<u16>(source, 8));
  said += text(at, method + target);
  at += usize(method + target);
  for (let i = 0; i < rows; i++) {
    const sizes = source + usize(frames.REQUEST_BYTES + i * 4);
    const name = i32(load<u16>(sizes));
    const value = i32(load<u16>(sizes, 2));
    said += "|" + text(at, name) + "=" + text(at + usize(name), value);
    at += usize(name + value);
  }
  return said + "|" + text(at, i32(source + usize(size) - at));
}

/** status, number of others, descriptor, address family, sentence */
function refusal(source: usize, size: i32): string {
  const family = load<u16>(source, 8).toString();
  const sentence = text(source + usize(frames.REFUSED_BYTES), size - frames.REFUSED_BYTES);
  return words(source, 4) + "," + load<u32>(source, 4).toString() + "," + family + " " + sentence;
}

/** name=value|…| of a table of sizes and the texts behind it. */
function fields(sizes: usize, rows: i32): string {
  let said = "";
  let at = sizes + (usize(rows) << 2);
  for (let i = 0; i < rows; i++, sizes += 4) {
    const name = i32(load<u16>(sizes));
    const value = i32(load<u16>(sizes, 2));
    said += text(at, name) + "=" + text(at + usize(name), value) + "|";
    at += usize(name + value);
  }
  return said;
}

/** Turns until the module ends. */
export function ends(): bool {
  for (let i = 0; i < 10; i++) if (IOLoop.current().turn(0) < 0) return true;
  return false;
}
