// What is known of a request's head: the layout of the state that parseHead and checkHead fill, and how to read it.
//
// Invariant: offsets count from the source that was given to parseHead, so the bytes may move. parseHead's results hold
// once it has returned the size of the head, checkHead's once it has returned 0.

import { zero16 } from "../../bytes/scan";

/** The bytes end before the head does. */
export const PARTIAL: i32 = -1;

// --- layout: where a partial head goes on (u32 each; the first 8 bytes are 0 in a fresh state) ---

export const PHASE: usize = 0;
export const POSITION: usize = 4; // all before it has been looked at
export const LINE: usize = 8; // start of the current header line
export const LINE_COLON: usize = 12; // its colon, 0: not seen yet

export const IN_METHOD: i32 = 0;
export const IN_TARGET: i32 = 1;
export const IN_VERSION: i32 = 2;
export const IN_FIELDS: i32 = 3;

// --- layout: parseHead's results (u32 each; the method is always at offset 0) ---

export const ROWS: usize = 16;
export const METHOD_SIZE: usize = 20;
export const TARGET_OFFSET: usize = 24;
export const TARGET_SIZE: usize = 28;
export const MINOR: usize = 32;
export const KNOWN: usize = 36; // for each known name 1 + its first row, 0: none
export const DUPLICATES: usize = 60; // bit i: the known name i stands more than once

// --- layout: checkHead's results (u8 each, then an i64, then u32 each) ---

export const METHOD: usize = 64;
export const BODY: usize = 65;
export const KEEP_ALIVE: usize = 66;
export const EXPECT_CONTINUE: usize = 67;
export const UPGRADE: usize = 68;
export const LENGTH: usize = 72;
export const PATH_OFFSET: usize = 80;
export const PATH_SIZE: usize = 84;
export const HOST_OFFSET: usize = 88;
export const HOST_SIZE: usize = 92;

// --- layout: the rows (u32 each: offset and size of the name, offset and size of the value) ---

export const TABLE: usize = 96;
export const ROW_BYTES: usize = 16;

/** Bytes of a state for that many fields. */
export function headBytes(rowsMax: i32): usize {
  return TABLE + usize(rowsMax) * ROW_BYTES;
}

/** Begins a new head. */
export function headReset(head: usize): void {
  store<u64>(head, 0);
  store<u32>(head, 0, TARGET_SIZE);
}

// --- what parseHead found ---

export function methodSize(head: usize): i32 {
  return load<i32>(head, METHOD_SIZE);
}

export function targetOffset(head: usize): i32 {
  return load<i32>(head, TARGET_OFFSET);
}

/** Also while the head is partial: what has come of the target so far. */
export function targetSize(head: usize): i32 {
  return load<i32>(head, TARGET_SIZE);
}

/** 0 or 1: the second digit of the version. */
export function minorVersion(head: usize): i32 {
  return load<i32>(head, MINOR);
}

export function rowCount(head: usize): i32 {
  return load<i32>(head, ROWS);
}

export function nameOffset(head: usize, row: i32): i32 {
  return load<i32>(head + usize(row) * ROW_BYTES, TABLE);
}

export function nameSize(head: usize, row: i32): i32 {
  return load<i32>(head + usize(row) * ROW_BYTES, TABLE + 4);
}

export function valueOffset(head: usize, row: i32): i32 {
  return load<i32>(head + usize(row) * ROW_BYTES, TABLE + 8);
}

/** Without the white space around the value; may be 0. */
export function valueSize(head: usize, row: i32): i32 {
  return load<i32>(head + usize(row) * ROW_BYTES, TABLE + 12);
}

// Known names: the argument of knownRow and isDuplicate.
export const HOST_FIELD: i32 = 0;
export const CONTENT_LENGTH_FIELD: i32 = 1;
export const TRANSFER_ENCODING_FIELD: i32 = 2;
export const CONNECTION_FIELD: i32 = 3;
export const EXPECT_FIELD: i32 = 4;
export const UPGRADE_FIELD: i32 = 5;

/** The first row of a known name, -1: the request has none. */
export function knownRow(head: usize, field: i32): i32 {
  return load<i32>(head + (usize(field) << 2), KNOWN) - 1;
}

/** Whether none of Content-Length, Transfer-Encoding, Connection and Expect is there, which lie side by side. */
// @ts-ignore: decorator
@inline
export function hostAlone(head: usize): bool {
  return (load<u64>(head, KNOWN + (CONTENT_LENGTH_FIELD << 2)) | load<u64>(head, KNOWN + (CONNECTION_FIELD << 2))) == 0;
}

/** Whether a known name stands more than once. */
export function isDuplicate(head: usize, field: i32): bool {
  return ((load<u32>(head, DUPLICATES) >> field) & 1) != 0;
}

// --- what checkHead found ---

export function methodCode(head: usize): i32 {
  return load<u8>(head, METHOD);
}

export const BODY_NONE: i32 = 0;
export const BODY_LENGTH: i32 = 1;
export const BODY_CHUNKED: i32 = 2;

/** BODY_NONE also for Content-Length: 0. */
export function bodyKind(head: usize): i32 {
  return load<u8>(head, BODY);
}

/** 0 without a body, -1 for a chunked one. */
export function contentLength(head: usize): i64 {
  return load<i64>(head, LENGTH);
}

/** Whether the client may go on with this connection after the answer. */
export function keepAlive(head: usize): bool {
  return load<u8>(head, KEEP_ALIVE) != 0;
}

/** Whether the client may be waiting for 100 Continue before it sends the body. */
export function expectContinue(head: usize): bool {
  return load<u8>(head, EXPECT_CONTINUE) != 0;
}

/** Whether the client offers the protocols in its Upgrade field. */
export function upgrade(head: usize): bool {
  return load<u8>(head, UPGRADE) != 0;
}

/** The path, without query. Of an absolute-form target the part behind the authority, which may be empty. */
export function pathOffset(head: usize): i32 {
  return load<i32>(head, PATH_OFFSET);
}

export function pathSize(head: usize): i32 {
  return load<i32>(head, PATH_SIZE);
}

/** The authority that is asked for: the target's, else Host's; its size is 0 when there is none. */
export function hostOffset(head: usize): i32 {
  return load<i32>(head, HOST_OFFSET);
}

export function hostSize(head: usize): i32 {
  return load<i32>(head, HOST_SIZE);
}

// --- for the parser ---

/** Notes where a partial head goes on. */
export function pause(head: usize, phase: i32, position: usize): i32 {
  store<i32>(head, phase, PHASE);
  store<u32>(head, u32(position), POSITION);
  return PARTIAL;
}

/** The request line is complete: readies the state for the fields. */
// @ts-ignore: decorator
@inline
export function beginFields(head: usize, minor: i32): void {
  store<i32>(head, minor, MINOR);
  zero16(head + KNOWN);
  zero16(head + KNOWN + 12); // and DUPLICATES
  store<u32>(head, 0, LINE);
}
