// The bridge's channel over WASI 0.3: frames from the host come on stdin, frames to it leave on stdout.
//
// A pending read of stdin owns a block here, which the next one uses again once all of it has been taken.
// Invariant: both streams are made when they are first used, for a host answers nothing while it instantiates a module.
// Reference: wasi:cli/stdin and wasi:cli/stdout 0.3.0.

import { AGAIN, REASON_RESET } from "../../core/errors";
import * as connections from "./connections";
import * as w from "./imports";
import { settled } from "./settled";
import { READ, Slot, own, slotOf } from "./slots";

/** Frames of the host's that come at once. */
const BLOCK_BYTES: i32 = 65536;
const block: usize = WASI == 3 ? memory.data(65536, 16) : 0;
const result: usize = WASI == 3 ? memory.data(8, 4) : 0;
let channel: i32 = -1;
let stdout: i32 = 0;

export function openChannel(): i32 {
  channel = connections.openChannel(ask);
  return channel;
}

function ask(slot: Slot): i32 {
  if (!slot.input) {
    w.openStdin(result);
    slot.input = load<i32>(result); // the future behind it says how stdin ended, and is not asked
    own(slot.input, channel);
    w.join(slot.input, connections.waitableSet());
  }
  return w.readStdin(slot.input, block, BLOCK_BYTES);
}

export function channelRead(target: usize, size: i32): i32 {
  const slot = slotOf(channel);
  if (!slot.have) return slot.inputEnded ? 0 : AGAIN;
  const n = min(size, slot.have);
  memory.copy(target, block + usize(slot.at), usize(n));
  slot.at += n;
  slot.have -= n;
  if (slot.have || slot.inputEnded) slot.ready |= READ;
  return n;
}

export function channelWrite(source: usize, size: i32): i32 {
  if (!stdout) {
    const pair = w.newStdout();
    stdout = i32(pair >> 32);
    w.openStdout(i32(pair));
  }
  const n = settled(stdout, w.writeStdout(stdout, source, size)) >>> 4;
  return n ? n : -REASON_RESET;
}
