// The least that a hello over WASI 0.3 takes: a pending read of each connection, and one write of an answer that is ready
// made. It parses nothing, keeps no time and bounds nothing, so what it costs is the runtime's and the kernel's. Like
// ours it asks for more input only when all that has come is answered. bench/peers/least.mjs makes a component of it.
// Its clients are wrk: they take what they are sent, and are fewer than CONNECTIONS_MAX.

import { waitableSet } from "../../assembly/wasi/preview3/connections";
import * as w from "../../assembly/wasi/preview3/imports";
import { listener, start } from "../../assembly/wasi/preview3/index";
import { slotOf } from "../../assembly/wasi/preview3/slots";

export { cabi_realloc } from "../../assembly/wasi/component/memory";

const YIELD: i32 = 1;
const WAIT: i32 = 2;
const answer: ArrayBuffer = String.UTF8.encode(
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nHello, world",
);
const BUFFER_BYTES: i32 = 2048;
/** All that a component holds has a number, and a connection is known by that of its input. */
const CONNECTIONS_MAX: i32 = 4096;
const buffers: usize = memory.data(2048 * 4096, 16);
const outputs: usize = memory.data(4 * 4096, 16);
const result: usize = memory.data(64, 8);
const event: usize = memory.data(8, 4);
const accepted: usize = memory.data(4, 4);
let sockets: i32 = 0;
// Inputs that have been answered, and those that are asked again now; the two take turns.
let answered: usize = memory.data(4 * 4096, 16);
let asked: usize = memory.data(4 * 4096, 16);
let count: i32 = 0;

export function run(): i32 {
  if (start()) unreachable();
  sockets = slotOf(listener(0)).input;
  accept();
  return proceed();
}

export function callback(kind: i32, waitable: i32, copied: i32): i32 {
  if (kind != w.EVENT_NONE) take(waitable, copied);
  return proceed();
}

function proceed(): i32 {
  while (w.pollSet(waitableSet(), event) != w.EVENT_NONE) take(load<i32>(event), load<i32>(event, 4));
  const now = answered;
  const n = count;
  answered = asked;
  asked = now;
  count = 0;
  for (let i = 0; i < n; i++) read(load<i32>(now + (usize(i) << 2)));
  return count ? YIELD : WAIT | (waitableSet() << 4);
}

function take(waitable: i32, copied: i32): void {
  if (waitable != sockets) return serve(waitable, copied);
  open(load<i32>(accepted));
  accept();
}

function accept(): void {
  while (w.readAccepted(sockets, accepted, 1) != w.BLOCKED) open(load<i32>(accepted));
}

function open(socket: i32): void {
  w.receive(socket, result);
  const input = load<i32>(result);
  if (input >= CONNECTIONS_MAX) unreachable();
  const output = w.newOutput();
  w.dropSendOutcome(w.send(socket, i32(output)));
  store<i32>(outputs + (usize(input) << 2), i32(output >> 32));
  w.join(input, waitableSet());
  read(input);
}

function read(input: i32): void {
  const copied = w.readInput(input, buffers + usize(input) * usize(BUFFER_BYTES), BUFFER_BYTES);
  if (copied != w.BLOCKED) serve(input, copied);
}

function serve(input: i32, copied: i32): void {
  const output = load<i32>(outputs + (usize(input) << 2));
  if ((copied & 15) == w.DROPPED) {
    w.join(input, 0);
    w.dropInput(input);
    return w.dropOutput(output); // the socket itself stays: this program ends with the measurement
  }
  w.writeOutput(output, changetype<usize>(answer), answer.byteLength);
  store<i32>(answered + (usize(count++) << 2), input);
}
