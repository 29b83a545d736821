// The tables behind wasi/poller.ts: handles, their subscriptions in sets (hot, cold, pinned), and the list of probes.
//
// A subscription is handle << 1 | direction. Each set is an array of subscriptions as poll_oneoff takes them, so that
// polling a set costs no copying; there is room before each for the clock and for the pinned ones.
// Invariant: a subscription is in at most one set, at its place in that set's array; tables are static and laid out
// for HANDLES_MAX, and pages that are never touched cost nothing.

import { HANDLES_MAX, LISTENERS_MAX } from "../core/limits";
import { SUBSCRIPTION_BYTES, TAG_READ, TAG_WRITE } from "./imports";

/** Kinds of handles. */
export const ORDINARY: u8 = 1;
export const PINNED: u8 = 2;
export const BLOCKING: u8 = 3;

// @ts-ignore: decorator
@unmanaged
export class Slot {
  last: i64; // when it last moved bytes
  fd: u32;
  previous: i32; // neighbours in the list of probes
  following: i32; // also the list of free handles
  round: u32; // the round in which it was last probed
  kind: u8; // 0: free
  misses: u8; // in a row
  listed: bool; // in the list of probes
}
const SLOT_BYTES: usize = 32;
if (offsetof<Slot>() > SLOT_BYTES) ERROR("a slot has grown");

// The sets. HELD is none but the array that a held poll is gathered in.
export const OUT: i32 = 0;
export const PIN: i32 = 1;
export const HOT: i32 = 2;
export const COLD: i32 = 3;
export const HELD: i32 = 4;
/** Room before each array for the clock and a copy of the pinned subscriptions. */
const FRONT_BYTES: usize = SUBSCRIPTION_BYTES * (LISTENERS_MAX + 2);
const ARRAY_BYTES: usize = FRONT_BYTES + SUBSCRIPTION_BYTES * HANDLES_MAX * 2;

const slots: usize = memory.data(i32(SLOT_BYTES) * HANDLES_MAX, 16);
const sets: usize = memory.data(HANDLES_MAX * 2, 16); // u8: OUT, PIN, HOT or COLD
const places: usize = memory.data(HANDLES_MAX * 8, 16); // u32: index in the set's array
const arrays: usize = memory.data(i32(ARRAY_BYTES * 4), 16);
const counts: usize = memory.data(20, 4); // i32, by set

let free: i32 = -1;
let used: i32 = 0;
/** The longest and the least long answered of the handles to probe, -1: there is none. */
export let probeHead: i32 = -1;
export let probeTail: i32 = -1;

// @ts-ignore: decorator
@inline
export function slotOf(handle: i32): Slot {
  return changetype<Slot>(slots + usize(handle) * SLOT_BYTES);
}
// @ts-ignore: decorator
@inline
export function setOf(subscription: i32): i32 {
  return i32(load<u8>(sets + usize(subscription)));
}
// @ts-ignore: decorator
@inline
export function arrayOf(set: i32): usize {
  return arrays + usize(set - 1) * ARRAY_BYTES + FRONT_BYTES;
}
// @ts-ignore: decorator
@inline
export function countOf(set: i32): i32 {
  return load<i32>(counts + (usize(set) << 2));
}
// @ts-ignore: decorator
@inline
export function setCount(set: i32, count: i32): void {
  store<i32>(counts + (usize(set) << 2), count);
}

// --- handles ---

export function hasRoom(): bool {
  return free >= 0 || used < HANDLES_MAX;
}

/** A handle for `fd`; the caller has asked hasRoom(). */
export function openSlot(fd: u32, kind: u8, now: i64): i32 {
  let handle = free;
  if (handle >= 0) free = slotOf(handle).following;
  else handle = used++;
  const slot = slotOf(handle);
  slot.fd = fd;
  slot.kind = kind;
  slot.last = now;
  slot.misses = 0;
  slot.listed = false;
  return handle;
}

export function releaseSlot(handle: i32): void {
  const slot = slotOf(handle);
  slot.kind = 0;
  slot.following = free;
  free = handle;
}

// --- sets ---

export function put(subscription: i32, set: i32): void {
  const count = countOf(set);
  const at = arrayOf(set) + usize(count) * SUBSCRIPTION_BYTES;
  store<u64>(at, subscription);
  store<u64>(at, subscription & 1 ? TAG_WRITE : TAG_READ, 8);
  store<u64>(at, slotOf(subscription >> 1).fd, 16);
  store<u32>(places + (usize(subscription) << 2), count);
  store<u8>(sets + usize(subscription), u8(set));
  setCount(set, count + 1);
}

export function take(subscription: i32): void {
  const set = setOf(subscription);
  const last = countOf(set) - 1;
  const place = load<i32>(places + (usize(subscription) << 2));
  if (place != last) {
    const from = arrayOf(set) + usize(last) * SUBSCRIPTION_BYTES;
    memory.copy(arrayOf(set) + usize(place) * SUBSCRIPTION_BYTES, from, SUBSCRIPTION_BYTES);
    store<i32>(places + (usize(load<i32>(from)) << 2), place);
  }
  setCount(set, last);
  store<u8>(sets + usize(subscription), u8(OUT));
}

export function move(subscription: i32, set: i32): void {
  take(subscription);
  put(subscription, set);
}

export function moveToCold(subscription: i32): void {
  unlist(subscription >> 1);
  move(subscription, COLD);
}

// --- the list of probes ---

export function list(handle: i32): void {
  const slot = slotOf(handle);
  slot.listed = true;
  slot.previous = probeTail;
  slot.following = -1;
  if (probeTail >= 0) slotOf(probeTail).following = handle;
  else probeHead = handle;
  probeTail = handle;
}

export function unlist(handle: i32): void {
  const slot = slotOf(handle);
  if (!slot.listed) return;
  slot.listed = false;
  if (slot.previous >= 0) slotOf(slot.previous).following = slot.following;
  else probeHead = slot.following;
  if (slot.following >= 0) slotOf(slot.following).previous = slot.previous;
  else probeTail = slot.previous;
}
