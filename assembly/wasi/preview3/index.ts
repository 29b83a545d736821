// The platform over WASI 0.3: where it listens, clock, end. Connections are in connections.ts, readiness is in
// events.ts, the bridge's channel is in channel.ts.
// Reference: the contract in ../index.ts.

import { address, backlog, cannotListen, readSettings } from "../component/settings";
import { familyOf, numberAt } from "../component/socketaddress";
import { errorCode, openListener } from "./connections";
import * as w from "./imports";
import { settled } from "./settled";

export { channelRead, channelWrite, openChannel } from "./channel";
export { accept, close, descriptor, peer, read, shutdown, write } from "./connections";
export { next, ready, sleepNs, wait } from "./events";
export { held, hold, watch } from "./slots";

const result: usize = memory.data(64, 8);
let listening: i32 = -1;
let stderr: i32 = 0;

/** Listens where the settings say. Returns why that does not work, null: it listens. */
export function start(): string | null {
  w.getEnvironment(result);
  w.getArguments(result + 8);
  const problem = readSettings(result);
  if (problem) return problem;
  w.createSocket(familyOf(address), result);
  if (load<u8>(result)) return problemOf(errorCode(result + 4));
  const socket = load<i32>(result, 4);
  w.setBacklog(socket, u64(backlog), result);
  bind(socket);
  if (load<u8>(result)) return problemOf(errorCode(result + 4));
  w.listen(socket, result);
  if (load<u8>(result)) return problemOf(errorCode(result + 4));
  listening = openListener(socket, load<i32>(result, 4), 0);
  return null;
}

function bind(socket: i32): void {
  w.bind(
    socket,
    familyOf(address),
    numberAt(address, 0),
    numberAt(address, 1),
    numberAt(address, 2),
    numberAt(address, 3),
    numberAt(address, 4),
    numberAt(address, 5),
    numberAt(address, 6),
    numberAt(address, 7),
    numberAt(address, 8),
    numberAt(address, 9),
    numberAt(address, 10),
    result,
  );
}

function problemOf(code: i32): string {
  const isAbsent = code == w.ERROR_ADDRESS_NOT_BINDABLE;
  return cannotListen(code == w.ERROR_ACCESS_DENIED, isAbsent, code == w.ERROR_ADDRESS_IN_USE);
}

export function listenerCount(): i32 {
  return listening < 0 ? 0 : 1;
}

export function listener(index: i32): i32 {
  return listening;
}

export function now(): i64 {
  return i64(w.monotonicNow());
}

export function unixSeconds(): i64 {
  w.systemNow(result);
  return load<i64>(result);
}

/** Waits until it has left. */
export function log(source: usize, size: i32): void {
  if (!stderr) {
    const pair = w.newStderr();
    stderr = i32(pair >> 32);
    w.openStderr(i32(pair));
  }
  while (size > 0 && stderr > 0) {
    const copied = settled(stderr, w.writeStderr(stderr, source, size));
    const n = copied >>> 4;
    source += usize(n);
    size -= n;
    if (copied & 15) stderr = -1; // it is closed
  }
}

export function exit(code: i32): void {
  w.exitWithCode(code);
}
