// The tables behind the platform over WASI 0.3: handles, whose waitable is whose, and the two lists that a turn goes
// through.
//
// A handle is "armed" when the host has to report it, and "due" when something of it is ready. The handles to be armed
// and those that are due stand in a list each, so a turn costs what is active, not what is connected.
// While the host is behind, handles with input to be read are put aside, in a third list.
// Invariant: a handle that was closed is given away again only once it stands in no list. Tables are static and
// laid out for ASYNC_HANDLES_MAX or EXCHANGES_MAX; pages that were never touched cost nothing.

import { ASYNC_HANDLES_MAX, EXCHANGES_MAX } from "../../core/limits";
import { OVER_03 } from "../build";

export const READ: u8 = 1;
export const WRITE: u8 = 2;

/** Kinds of handles. */
export const FREE: u8 = 0;
export const CONNECTION: u8 = 1;
export const LISTENER: u8 = 2;
/** A connection that is being made, or a name that is being looked up. */
export const TASK: u8 = 3;
/** The bridge's stdin. */
export const CHANNEL: u8 = 4;

/** In which lists a handle stands. */
const TO_ARM: u8 = 1;
const DUE: u8 = 2;
const ASIDE: u8 = 4;

/**
 * How a connection's input ended: what `outcome` says; from OUTCOME_KNOWN on it is that plus a reason, 0 for an end in
 * order.
 */
export const OUTCOME_UNKNOWN: u8 = 0;
export const OUTCOME_ASKED: u8 = 1;
export const OUTCOME_KNOWN: u8 = 2;

// @ts-ignore: decorator
@unmanaged
export class Slot {
  socket: i32;
  input: i32; // the stream of bytes; of a listener the stream of sockets, of a task its subtask
  output: i32; // 0: shut down
  future: i32; // how the input ended
  following: i32; // the list of free handles; of a listener its index
  accepted: i32; // of a listener: a socket that has come, 0: none
  have: i32; // bytes of its buffer that are not read yet
  at: i32; // where they begin; of a lookup the next address
  kind: u8;
  interest: u8; // what is watched
  ready: u8; // what is to be tried
  pending: u8; // READ, WRITE: the host has been asked, and will tell
  lists: u8;
  outcome: u8;
  inputEnded: bool;
  outputEnded: bool; // its reader is gone
}
const SLOT_BYTES: usize = 40;
if (offsetof<Slot>() > SLOT_BYTES) ERROR("a slot has grown");

/** The host numbers all that a component holds from 1, up to 100,000; a waitable is one of them. */
const WAITABLES_MAX: i32 = 1 << 17;

/** Handles; over wasi:http each is an exchange. */
const MOST: i32 = WASI == 5 ? EXCHANGES_MAX : ASYNC_HANDLES_MAX;
const slots: usize = OVER_03 ? memory.data(i32(SLOT_BYTES) * MOST, 16) : 0;
const owners: usize = WASI == 3 ? memory.data(4 * (1 << 17), 16) : 0; // by waitable
const toArm: usize = OVER_03 ? memory.data(4 * MOST, 16) : 0;
const aside: usize = WASI == 3 ? memory.data(4 * MOST, 16) : 0;
// Those that are due, and those that next() goes through; they take turns.
const lists: usize = OVER_03 ? memory.data(8 * MOST, 16) : 0;
let due: usize = lists;
let handing: usize = lists + 4 * usize(MOST);

let free: i32 = -1;
let used: i32 = 0;
let toArmCount: i32 = 0;
let asideCount: i32 = 0;
let dueCount: i32 = 0;
let handingCount: i32 = 0;
let handingAt: i32 = 0;

// @ts-ignore: decorator
@inline
export function slotOf(handle: i32): Slot {
  return changetype<Slot>(slots + usize(handle) * SLOT_BYTES);
}

// @ts-ignore: decorator
@inline
export function ownerOf(waitable: i32): i32 {
  return load<i32>(owners + (usize(waitable) << 2));
}

/** Events of `waitable` are about `handle`. */
export function own(waitable: i32, handle: i32): void {
  if (u32(waitable) >= u32(WAITABLES_MAX)) unreachable(); // ASYNC_HANDLES_MAX connections have fewer
  store<i32>(owners + (usize(waitable) << 2), handle);
}

export function hasRoom(): bool {
  return free >= 0 || used < MOST;
}

/** A handle; the caller has asked hasRoom(). */
export function openSlot(kind: u8): i32 {
  let handle = free;
  if (handle >= 0) free = slotOf(handle).following;
  else handle = used++;
  const slot = slotOf(handle);
  memory.fill(changetype<usize>(slot), 0, SLOT_BYTES);
  slot.kind = kind;
  return handle;
}

export function closeSlot(handle: i32): void {
  const slot = slotOf(handle);
  slot.kind = FREE;
  slot.interest = 0;
  giveBack(handle, slot);
}

function giveBack(handle: i32, slot: Slot): void {
  if (slot.lists) return;
  slot.following = free;
  free = handle;
}

// --- handles to be armed ---

/** `handle` is looked at before the next wait. */
export function armLater(handle: i32): void {
  const slot = slotOf(handle);
  if (slot.lists & TO_ARM) return;
  slot.lists |= TO_ARM;
  store<i32>(toArm + (usize(toArmCount++) << 2), handle);
}

/** What is watched of `handle` from here on: READ, WRITE. */
export function watch(handle: i32, interest: i32): void {
  const slot = slotOf(handle);
  const more = u8(interest) & ~slot.interest;
  slot.interest = u8(interest);
  if (more) armLater(handle);
}

/** The next handle to arm, -1: there is none. */
export function nextToArm(): i32 {
  while (toArmCount) {
    const handle = load<i32>(toArm + (usize(--toArmCount) << 2));
    const slot = slotOf(handle);
    slot.lists &= ~TO_ARM;
    if (slot.kind != FREE) return handle;
    giveBack(handle, slot);
  }
  return -1;
}

// --- handles that are put aside ---

/** The host is behind: no connection is read and none is accepted. */
export let held: bool = false;

export function hold(yes: bool): void {
  if (held && !yes) takeUpAll();
  held = yes;
}

/** Whether the input of `slot` has to wait until the host has caught up. */
// @ts-ignore: decorator
@inline
export function isHeldBack(slot: Slot): bool {
  return held && slot.kind != CHANNEL;
}

/** `handle` is looked at when the host has caught up. */
export function putAside(handle: i32): void {
  const slot = slotOf(handle);
  if (slot.lists & ASIDE) return;
  slot.lists |= ASIDE;
  store<i32>(aside + (usize(asideCount++) << 2), handle);
}

function takeUpAll(): void {
  while (asideCount) {
    const handle = load<i32>(aside + (usize(--asideCount) << 2));
    const slot = slotOf(handle);
    slot.lists &= ~ASIDE;
    if (slot.kind == FREE) giveBack(handle, slot);
    else armLater(handle);
  }
}

// --- handles that are due ---

/** `what` of `handle` is to be tried. */
export function markReady(handle: i32, what: u8): void {
  const slot = slotOf(handle);
  slot.ready |= what;
  if (slot.lists & DUE || !(slot.interest & what)) return;
  slot.lists |= DUE;
  store<i32>(due + (usize(dueCount++) << 2), handle);
}

export function isAnyDue(): bool {
  return dueCount > 0;
}

/** From here on nextDue() hands out those that are due now; the last ones have all been handed out. */
export function turnToDue(): void {
  const before = handing;
  handing = due;
  due = before;
  handingCount = dueCount;
  handingAt = dueCount = 0;
}

/** The next handle that is due, -1: none is left. */
export function nextDue(): i32 {
  while (handingAt < handingCount) {
    const handle = load<i32>(handing + (usize(handingAt++) << 2));
    const slot = slotOf(handle);
    slot.lists &= ~DUE;
    if (slot.kind == FREE) giveBack(handle, slot);
    else if (slot.ready & slot.interest) return handle;
  }
  return -1;
}
