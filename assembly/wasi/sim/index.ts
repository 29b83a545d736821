// The platform for tests: the contract of index.ts over the scripted network of wasi/sim/net.ts.
//
// Invariants: readiness may be spurious and late but nothing that is ready is forgotten: a wait that may block reports
// at least one, and sleepNs() is FOREVER only when none is left. Handles are used again at once, the last closed first.

import { Address } from "../../core/address";
import { AGAIN, REASON_BUFFER_FULL, REASON_RESET } from "../../core/errors";
import { NS_PER_MS, NS_PER_S } from "../../core/units";
import { Listener, Network, Peer, Pipe, network } from "./net";
import { FOREVER, READ, WRITE } from "../readiness";

/** Descriptors are not handles, and nothing may take one for the other. */
const FIRST_DESCRIPTOR: u32 = 100;
const LATE_NS: i64 = NS_PER_MS;
const UNIX_SECONDS: i64 = 1_700_000_000;


@final
class Slot {
  interest: i32 = 0;
  // What it is: one of these three, or free.
  peer: Peer | null = null;
  listener: Listener | null = null;
  isChannel: bool = false;

  get open(): bool {
    return this.isChannel || this.peer != null || this.listener != null;
  }

  /** READ and WRITE, as far as they are watched and true. */
  isReady(net: Network, held: bool): i32 {
    let state = WRITE;
    const peer = this.peer;
    const listener = this.listener;
    // One byte of the channel's is not certain: poll_oneoff says 1 for none, too.
    if (this.isChannel) state = net.host.input.size > 1 || net.host.gone ? READ : 0;
    else if (listener) state = listener.queue.length ? READ : 0;
    else if (peer && peer.answer == AGAIN) state = 0;
    else if (peer) state = (peer.readable ? READ : 0) | (peer.writable ? WRITE : 0);
    if (held && !this.isChannel) state &= WRITE;
    return state & this.interest;
  }
}


@final
class Platform {
  readonly net: Network = network();
  readonly slots: Array<Slot> = [];
  readonly free: Array<i32> = [];
  readonly listeners: Array<i32> = [];
  /** What next() still has to say: handle << 2 | READ or WRITE. */
  readonly due: Array<i32> = [];
  held: bool = false;

  open(): i32 {
    if (this.free.length) return this.free.pop();
    this.slots.push(new Slot());
    return this.slots.length - 1;
  }

  get isFull(): bool {
    return this.slots.length - this.free.length >= this.net.descriptorsMax || this.net.chance(this.net.faults.full);
  }

  slot(handle: i32): Slot {
    assert(handle >= 0 && handle < this.slots.length && this.slots[handle].open, "a handle that is not open");
    return this.slots[handle];
  }

  peer(handle: i32): Peer {
    const peer = this.slot(handle).peer;
    assert(peer != null && peer.answer == 0, "not a connection");
    return peer!;
  }

  /** Fills `due` and says whether anything is ready, reported or not. */
  look(mayBeLate: bool): bool {
    const faults = this.net.faults;
    let any = false;
    this.due.length = 0;
    for (let handle = 0; handle < this.slots.length; handle++) {
      const slot = this.slots[handle];
      const state = slot.isReady(this.net, this.held);
      if (state) any = true;
      for (let event = READ; event <= WRITE; event++) {
        if (state & event) {
          if (!mayBeLate || !this.net.chance(faults.late)) this.due.push((handle << 2) | event);
        } else if (slot.interest & event && !slot.isChannel && !this.held && this.net.chance(faults.spurious)) {
          this.due.push((handle << 2) | event);
        }
      }
    }
    return any;
  }

  /** The order means nothing. */
  shuffle(): void {
    const due = this.due;
    for (let i = due.length - 1; i > 0; i--) {
      const j = this.net.below(i + 1);
      const event = due[i];
      due[i] = due[j];
      due[j] = event;
    }
  }
}

let instance: Platform | null = null;

function platform(): Platform {
  let current = instance;
  if (!current) instance = current = new Platform();
  return current;
}

export let ready: i32 = 0;

export function start(): void {
  const sim = platform();
  for (let i = 0; i < sim.net.listeners.length; i++) {
    const handle = sim.open();
    sim.slots[handle].listener = sim.net.listeners[i];
    sim.listeners.push(handle);
  }
}

export function listenerCount(): i32 {
  return platform().listeners.length;
}

export function listener(index: i32): i32 {
  return platform().listeners[index];
}

export function openChannel(): i32 {
  const handle = platform().open();
  platform().slots[handle].isChannel = true;
  return handle;
}

// --- operations ---

export function accept(listener: i32): i32 {
  const sim = platform();
  const queue = sim.slot(listener).listener!.queue;
  sim.net.accepts++;
  if (sim.isFull) return -REASON_BUFFER_FULL;
  if (!queue.length || sim.net.chance(sim.net.faults.again)) return AGAIN;
  const handle = sim.open();
  sim.slots[handle].peer = queue.shift();
  return handle;
}

/** A handle for `peer`, which the sandbox connects to; -REASON. */
export function openPeer(peer: Peer): i32 {
  const sim = platform();
  if (sim.isFull) return -REASON_BUFFER_FULL;
  const handle = sim.open();
  sim.slots[handle].peer = peer;
  return handle;
}

/** What has become of that: AGAIN, 0 or -REASON. */
export function answerOf(handle: i32): i32 {
  return platform().slot(handle).peer!.answer;
}

export function peer(handle: i32, address: Address): bool {
  const known = platform().peer(handle).address;
  if (known) address.copyFrom(known);
  return known != null;
}

export function read(handle: i32, target: usize, size: i32): i32 {
  const sim = platform();
  if (sim.slot(handle).isChannel) return readChannel(sim, target, size);
  const peer = sim.peer(handle);
  if (sim.held) return AGAIN;
  if (sim.net.chance(sim.net.faults.resets)) peer.reset();
  if (peer.broken) return -REASON_RESET;
  if (!peer.readable || sim.net.chance(sim.net.faults.again)) return AGAIN;
  return pull(sim.net, peer.input, target, size); // nothing left: the peer's end
}

function readChannel(sim: Platform, target: usize, size: i32): i32 {
  const host = sim.net.host;
  assert(host.input.size || host.gone, "a read of the channel that would block");
  return pull(sim.net, host.input, target, size);
}

function pull(net: Network, pipe: Pipe, target: usize, size: i32): i32 {
  let n = min(size, pipe.size);
  if (n > 1 && net.chance(net.faults.shortReads)) n = 1 + net.below(n - 1);
  memory.copy(target, pipe.source, usize(n));
  pipe.drop(n);
  return n;
}

export function write(handle: i32, source: usize, size: i32): i32 {
  const sim = platform();
  const peer = sim.peer(handle);
  assert(!peer.ended, "bytes after shutdown");
  if (sim.net.chance(sim.net.faults.resets)) peer.reset();
  if (peer.broken) return -REASON_RESET;
  if (!peer.room || sim.net.chance(sim.net.faults.again)) return AGAIN;
  let n = min(size, peer.room);
  if (sim.net.chance(sim.net.faults.shortWrites)) n = sim.net.below(n + 1);
  if (n) peer.deliver(source, n);
  return n;
}

export function channelWrite(source: usize, size: i32): i32 {
  const net = platform().net;
  if (net.host.gone) return -REASON_RESET;
  assert(net.host.output.size + size <= net.host.room, "a write to the channel that would block");
  let n = size;
  if (n > 1 && net.chance(net.faults.shortWrites)) n = 1 + net.below(n - 1);
  net.host.output.push(source, n);
  return n;
}

export function shutdown(handle: i32): void {
  const peer = platform().peer(handle);
  assert(!peer.ended, "shut down twice");
  peer.ended = true;
}

export function close(handle: i32): void {
  const sim = platform();
  const slot = sim.slot(handle);
  const listener = slot.listener;
  if (slot.peer) slot.peer!.closeBySandbox();
  if (listener) {
    listener.closed = true;
    while (listener.queue.length) {
      const peer = listener.queue.shift();
      peer.closeBySandbox();
      peer.wasReset = true;
    }
  }
  slot.peer = null;
  slot.listener = null;
  slot.interest = 0;
  sim.free.push(handle);
}

export function descriptor(handle: i32): u32 {
  platform().slot(handle);
  return FIRST_DESCRIPTOR + u32(handle);
}

// --- readiness ---

export function watch(handle: i32, interest: i32): void {
  platform().slot(handle).interest = interest;
}

export function hold(yes: bool): void {
  platform().held = yes;
}

export function held(): bool {
  return platform().held;
}

export function wait(timeoutNs: i64): void {
  const sim = platform();
  assert(timeoutNs >= 0, "a timeout below 0");
  sim.net.waits++;
  let any = sim.look(true);
  if (any && !sim.due.length && timeoutNs) sim.look(false);
  sim.shuffle();
  if (any) return;
  if (timeoutNs == FOREVER) sim.net.waitsForEver++;
  else if (!sim.due.length) sim.net.clock += timeoutNs;
  else sim.net.clock += (timeoutNs + 1) / 2; // woken for nothing
}

export function next(): i32 {
  const sim = platform();
  while (sim.due.length) {
    const event = sim.due.pop();
    const slot = sim.slots[event >> 2];
    ready = event & 3;
    if (slot.interest & ready) return event >> 2; // else it was closed or forgotten meanwhile
  }
  return -1;
}

export function sleepNs(): i64 {
  const sim = platform();
  for (let handle = 0; handle < sim.slots.length; handle++) {
    if (sim.slots[handle].isReady(sim.net, sim.held)) return sim.net.chance(sim.net.faults.late) ? LATE_NS : 0;
  }
  return FOREVER;
}

/** There are no sets here: all that are watched. */
export function hotConnections(): i32 {
  const slots = platform().slots;
  let connections = 0;
  for (let handle = 0; handle < slots.length; handle++) {
    if (slots[handle].peer && slots[handle].interest) connections++;
  }
  return connections;
}

// --- the rest ---

export function now(): i64 {
  return platform().net.clock;
}

export function unixSeconds(): i64 {
  return UNIX_SECONDS + platform().net.clock / NS_PER_S;
}

export function log(source: usize, size: i32): void {
  platform().net.logged += String.UTF8.decodeUnsafe(source, usize(size));
}

export function exit(code: i32): void {
  throw new Error("exit " + code.toString());
}
